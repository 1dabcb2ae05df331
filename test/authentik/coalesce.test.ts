import { expect, test } from "vitest";
import type { AuthentikOptions } from "../../src/authentik/client.ts";
import { createCoalescer } from "../../src/authentik/coalesce.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { createGate, sendJson } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connectToFake, operation, retrieve } from "./connect.ts";

/** Answers with the credential that asked, so that an answer for somebody else shows. */
function connectToEcho(options: Partial<AuthentikOptions> = {}) {
  return connectToFake({
    ...options,
    fake: { answer: ({ authorization }, response) => sendJson(response, 200, { for: authorization }) },
  });
}

test("identical calls of one caller in flight are one; another caller's is its own", async () => {
  const { fake, authentik } = await connectToEcho();
  const [first, second] = [operation(authentik), operation(authentik)];
  const stranger = operation(authentik, { token: "token-of-bob" });
  const answers = await Promise.all([first, second, stranger].map((client) => client.get(retrieve(5))));
  const [alice, bob] = [{ for: "Bearer token-of-alice" }, { for: "Bearer token-of-bob" }];
  expect(answers).toEqual([alice, alice, bob]);
  expect(fake.requests).toHaveLength(2);
  expect([first.usage.restCalls, second.usage.restCalls, second.usage.sharedCalls]).toEqual([1, 0, 1]);
});

test("everyone of a shared call gets its own rejection with the same error, and the next call is a new one", async () => {
  // A cache keeps answers only.
  const { fake, authentik } = await connectToFake({ cacheTtlMs: 60_000 });
  const calls = [1, 2, 3].map(() => operation(authentik).get(retrieve(404)));
  for (const call of calls) await expect(call).rejects.toMatchObject({ kind: "not-found" });
  expect(fake.requests).toHaveLength(1);
  fake.directory.set(404, connectionBody(404));
  expect(await operation(authentik).get(retrieve(404))).toEqual(connectionBody(404));
  expect(fake.requests).toHaveLength(2);
});

test("who leaves a shared call is told at once and harms no other; the last one ends it, and who comes then asks anew", async () => {
  const gate = createGate();
  const { fake, authentik } = await connectToFake({ fake: gate });
  const ask = (pk: number) => {
    const client = operation(authentik);
    return { client, call: client.get(retrieve(pk)) };
  };
  const [leader, second, follower, lonely] = [ask(5), ask(5), ask(5), ask(6)];
  await fake.arrived(2);
  for (const { client, call } of [second, leader, lonely]) {
    const reason = new AuthentikError("cancelled", "the client left");
    client.abort(reason);
    await expect(call).rejects.toBe(reason);
  }
  const next = ask(6);
  await fake.arrived(3);
  await fake.abandoned(1);
  expect(fake.requests.map(({ aborted }) => aborted)).toEqual([false, true, false]);
  gate.open();
  expect(await Promise.all([follower.call, next.call])).toEqual([connectionBody(5), connectionBody(6)]);
  expect(authentik.state()).toMatchObject({ inFlight: 0, queued: 0 });
});

test("the cache answers the same caller again, and only as long as it says", async () => {
  const { fake, authentik } = await connectToEcho({ cacheTtlMs: 50, coalesce: false });
  const second = operation(authentik);
  for (const client of [operation(authentik), second, operation(authentik, { token: "token-of-bob" })])
    await client.get(retrieve(5));
  expect([second.usage.restCalls, second.usage.sharedCalls]).toEqual([0, 1]);
  expect(fake.requests).toHaveLength(2);
  await new Promise((resolve) => setTimeout(resolve, 120));
  await operation(authentik).get(retrieve(5));
  expect(fake.requests).toHaveLength(3);
});

test("nobody joins work that is older than it may be", async () => {
  const coalescer = createCoalescer<number>({ joinWithinMs: 0 });
  let started = 0;
  const start = () => ({ result: Promise.resolve((started += 1)), abort() {} });
  const both = [coalescer.join("key", start), coalescer.join("key", start)];
  expect(await Promise.all(both.map(({ result }) => result))).toEqual([1, 2]);
});
