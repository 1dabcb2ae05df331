import type { ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { Authentik } from "../../src/authentik/client.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { sendJson, sendPage, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connect, operation, retrieve } from "./connect.ts";

let fake: FakeAuthentik;
let authentik: Authentik;
afterEach(async () => {
  await authentik.close();
  await fake.close();
});

const FAILURES: Record<string, (response: ServerResponse) => void> = {
  "502": (response) => sendPage(response, 502, "Bad Gateway"),
  "503": (response) => sendJson(response, 503, { error: "authentik starting" }, { "Retry-After": "5" }),
  "504": (response) => sendPage(response, 504, "Gateway Time-out"),
  "200 while starting": (response) => sendJson(response, 200, { error: "authentik starting" }),
  "a socket closed before the answer": (response) => response.destroy(),
  "a socket reset before the answer": (response) => response.socket?.resetAndDestroy(),
  "a socket cut within the body": (response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 500 });
    response.write('{"pk":', () => response.destroy());
  },
  "500": (response) => sendPage(response, 500, "Server Error"),
  "429": (response) => sendJson(response, 429, { detail: "Request was throttled." }, { "Retry-After": "2" }),
  "404": (response) => sendJson(response, 404, { detail: "Not found." }),
  "a page": (response) => sendPage(response, 200, "Login"),
};

/** The first `failing` requests fail. */
async function startFailing(name: string, failing: number): Promise<void> {
  fake = await startFakeAuthentik({
    answer: (_request, response, fallback) => {
      if (fake.requests.length <= failing) FAILURES[name]?.(response);
      else fallback();
    },
  });
  authentik = connect(fake.url);
}

test.each([
  "502",
  "503",
  "504",
  "200 while starting",
  "a socket closed before the answer",
  "a socket reset before the answer",
  "a socket cut within the body",
])("after %s the GET is sent once more", async (name) => {
  await startFailing(name, 1);
  const client = operation(authentik);
  expect(await client.get(retrieve(5))).toEqual(connectionBody(5));
  expect(fake.requests.length).toBe(2);
  expect(client.usage).toMatchObject({ restCalls: 2, retries: 1 });
});

test.each([
  ["502", "unreachable", 502, undefined],
  ["503", "starting", 503, 5],
  ["a socket reset before the answer", "unreachable", undefined, undefined],
])("when %s comes again, that is the answer", async (name, kind, status, retryAfterSeconds) => {
  await startFailing(name, 2);
  await expect(operation(authentik).get(retrieve(5))).rejects.toMatchObject({
    kind,
    status,
    retryAfterSeconds,
  });
  expect(fake.requests.length).toBe(2);
});

test.each(["500", "429", "404", "a page"])("after %s nothing is sent again", async (name) => {
  await startFailing(name, 1);
  await expect(operation(authentik).get(retrieve(5))).rejects.toBeInstanceOf(AuthentikError);
  expect(fake.requests.length).toBe(1);
});

test("nothing is sent again when retries are off, or when the operation has used up its calls", async () => {
  await startFailing("502", 2);
  await expect(operation(authentik, { maxRestCalls: 1 }).get(retrieve(5))).rejects.toMatchObject({
    status: 502,
  });
  await authentik.close();
  authentik = connect(fake.url, { retry: false });
  await expect(operation(authentik).get(retrieve(5))).rejects.toMatchObject({ status: 502 });
  expect(fake.requests.length).toBe(2);
});

test("when time runs out during the pause, the failure before it is the answer", async () => {
  await startFailing("503", 2);
  const controller = new AbortController();
  const { signal } = controller;
  const answer = operation(authentik, { signal }).get(retrieve(5));
  await fake.arrived(1);
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
  controller.abort(new AuthentikError("timeout", "the time budget ended"));
  await expect(answer).rejects.toMatchObject({ kind: "starting", retryAfterSeconds: 5 });
});

test("who leaves during the pause is told at once, and nothing is sent again", async () => {
  await startFailing("502", 2);
  const controller = new AbortController();
  const { signal } = controller;
  const answer = operation(authentik, { signal }).get(retrieve(5));
  await fake.arrived(1);
  // The answer is on its way; the pause begins when it is there.
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
  const reason = new AuthentikError("cancelled", "the client left");
  controller.abort(reason);
  await expect(answer).rejects.toBe(reason);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(fake.requests.length).toBe(1);
});

test("connections that break under one call in ten are not seen by anybody", async () => {
  const broken = new Set<string>();
  fake = await startFakeAuthentik({
    pks: Array.from({ length: 1_000 }, (_, index) => index + 1),
    answer: ({ path }, response, fallback) => {
      if (!path.endsWith("0/") || broken.has(path)) fallback();
      else {
        broken.add(path);
        response.socket?.resetAndDestroy();
      }
    },
  });
  authentik = connect(fake.url);
  const client = operation(authentik);
  for (let first = 1; first <= 1_000; first += 100) {
    const calls = Array.from({ length: 100 }, (_, index) => client.get(retrieve(first + index)));
    expect(await Promise.all(calls)).toHaveLength(100);
  }
  expect(client.usage).toMatchObject({ restCalls: 1_100, retries: 100 });
  expect(fake.requests.length).toBe(1_100);
});

test("in an outage at most 1.2 requests are sent for each call, and soon none", async () => {
  fake = await startFakeAuthentik({ answer: (_request, response) => sendPage(response, 502, "Bad Gateway") });
  authentik = connect(fake.url);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 400 }, (_, index) => operation(authentik).get(retrieve(index + 1))),
  );
  expect(outcomes.every((outcome) => outcome.status === "rejected")).toBe(true);
  expect(fake.requests.length).toBeLessThanOrEqual(1.2 * 400);
  expect(authentik.state().breaker).toBe("open");
  const sent = fake.requests.length;
  await expect(operation(authentik).get(retrieve(5))).rejects.toMatchObject({
    kind: "unreachable",
    retryAfterSeconds: 1,
  });
  expect(fake.requests.length).toBe(sent);
});
