import { afterEach, expect, test } from "vitest";
import { createCallerKeys } from "../../src/authentik/caller.ts";
import { createCoalescer } from "../../src/authentik/coalesce.ts";
import type { Authentik } from "../../src/authentik/client.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { createGate, sendJson, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connect, operation, retrieve } from "./connect.ts";

let fake: FakeAuthentik;
let authentik: Authentik;
afterEach(async () => {
  await authentik.close();
  await fake.close();
});

const authorizationOf = (headers: readonly (readonly [string, string])[]): string =>
  headers.find(([name]) => name === "Authorization")?.[1] ?? "";

/** Answers with the credential that asked, so that an answer for somebody else shows. */
async function startEcho(options: Parameters<typeof connect>[1] = {}): Promise<void> {
  fake = await startFakeAuthentik({
    answer: ({ headers }, response) => sendJson(response, 200, { pk: 1, for: authorizationOf(headers) }),
  });
  authentik = connect(fake.url, options);
}

test("everyone of a shared call gets its own rejection with the same error, and the next call is a new one", async () => {
  fake = await startFakeAuthentik();
  authentik = connect(fake.url);
  const calls = [1, 2, 3].map(() => operation(authentik).get(retrieve(404)));
  const outcomes = await Promise.allSettled(calls);
  expect(
    outcomes.map((outcome) => outcome.status === "rejected" && (outcome.reason as AuthentikError).kind),
  ).toEqual(["not-found", "not-found", "not-found"]);
  expect(fake.requests.length).toBe(1);
  fake.directory.set(404, connectionBody(404));
  expect(await operation(authentik).get(retrieve(404))).toEqual(connectionBody(404));
  expect(fake.requests.length).toBe(2);
});

test("only when the last one leaves is the call given up", async () => {
  fake = await startFakeAuthentik({ answer: () => {} });
  authentik = connect(fake.url);
  const sources = [1, 2, 3].map(() => new AbortController());
  const calls = sources.map(({ signal }) => operation(authentik, { signal }).get(retrieve(5)));
  await fake.arrived(1);
  const reasons = sources.map((_, index) => new AuthentikError("cancelled", `client ${index} left`));
  for (const index of [1, 0]) {
    sources[index]?.abort(reasons[index]);
    await expect(calls[index]).rejects.toBe(reasons[index]);
    expect(authentik.state().inFlight).toBe(1);
  }
  sources[2]?.abort(reasons[2]);
  await expect(calls[2]).rejects.toBe(reasons[2]);
  await fake.abandoned(1);
  expect([fake.requests.length, authentik.state().inFlight]).toEqual([1, 0]);
});

test("after a shared call was given up, the same key is asked anew", async () => {
  const gate = createGate();
  fake = await startFakeAuthentik({
    answer: async (_request, _response, fallback) => {
      await gate.opened;
      fallback();
    },
  });
  authentik = connect(fake.url);
  const controller = new AbortController();
  const { signal } = controller;
  const left = operation(authentik, { signal }).get(retrieve(5));
  await fake.arrived(1);
  controller.abort(new AuthentikError("cancelled", "the client left"));
  const asked = operation(authentik).get(retrieve(5));
  await expect(left).rejects.toMatchObject({ kind: "cancelled" });
  gate.open();
  expect(await asked).toEqual(connectionBody(5));
  expect(fake.requests.length).toBe(2);
});

test("with sharing off every call is sent", async () => {
  await startEcho({ coalesce: false });
  const client = operation(authentik);
  await Promise.all([1, 2, 3].map(() => client.get(retrieve(5))));
  expect(fake.requests.length).toBe(3);
  expect(client.usage).toMatchObject({ restCalls: 3, sharedCalls: 0 });
});

test.each([
  ["shared calls", {}],
  ["shared calls and the cache", { cacheTtlMs: 60_000 }],
])(
  "500 credentials, 100 at a time, same keys: with %s nobody sees another's answer",
  async (_name, options) => {
    await startEcho(options);
    let done = 0;
    const ask = async (): Promise<void> => {
      while (done < 5_000) {
        done += 1;
        const token = `token-${done % 500}`;
        expect(await operation(authentik, { token }).get(retrieve(done % 3))).toEqual({
          pk: 1,
          for: `Bearer ${token}`,
        });
      }
    };
    await Promise.all(Array.from({ length: 100 }, ask));
  },
);

test("the cache answers the same caller again, and only as long as it says", async () => {
  await startEcho({ cacheTtlMs: 50, coalesce: false });
  const first = operation(authentik);
  await first.get(retrieve(5));
  const second = operation(authentik);
  await second.get(retrieve(5));
  expect([second.usage.restCalls, second.usage.sharedCalls]).toEqual([0, 1]);
  await operation(authentik, { token: "token-of-bob" }).get(retrieve(5));
  expect(fake.requests.length).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 120));
  await operation(authentik).get(retrieve(5));
  expect(fake.requests.length).toBe(3);
});

test("the cache keeps answers only: a failure is asked again", async () => {
  fake = await startFakeAuthentik();
  authentik = connect(fake.url, { cacheTtlMs: 60_000 });
  for (let index = 0; index < 2; index += 1) {
    await expect(operation(authentik).get(retrieve(999))).rejects.toMatchObject({ kind: "not-found" });
  }
  expect(fake.requests.length).toBe(2);
});

test("the cache keeps no more than its bytes", async () => {
  await startEcho({ cacheTtlMs: 60_000, cacheMaxBytes: 10_000 });
  for (const round of [1, 2]) {
    for (let pk = 1; pk <= 100; pk += 1) await operation(authentik).get(retrieve(pk));
    expect(fake.requests.length).toBe(100 * round);
  }
});

test("nothing is kept when nothing is in flight, and keys hold no credential", async () => {
  const coalescer = createCoalescer<number>();
  const keyOf = createCallerKeys();
  const key = `${keyOf("Bearer canary-token")}/path/`;
  const work = coalescer.join(key, () => Promise.resolve(1));
  expect(coalescer.has(key)).toBe(true);
  expect(key).not.toContain("canary");
  expect(await work.result).toBe(1);
  expect(coalescer.has(key)).toBe(false);
  expect(keyOf("Bearer canary-token")).toBe(keyOf("Bearer canary-token"));
  expect(createCallerKeys()("Bearer canary-token")).not.toBe(keyOf("Bearer canary-token"));
});

test("nobody joins work that is older than it may be", async () => {
  const coalescer = createCoalescer<number>({ joinWithinMs: 0 });
  let started = 0;
  const start = () => Promise.resolve((started += 1));
  const both = [coalescer.join("key", start), coalescer.join("key", start)];
  expect(await Promise.all(both.map(({ result }) => result))).toEqual([1, 2]);
  expect(coalescer.has("key")).toBe(false);
});
