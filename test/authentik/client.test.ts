import { expect, test } from "vitest";
import { AuthentikError, orError } from "../../src/authentik/authentik-error.ts";
import type { AuthentikClient } from "../../src/authentik/client.ts";
import { createGate, sendJson, sendPage } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connect, connectToFake, operation, retrieve } from "./connect.ts";

/** What becomes of calls of one operation, made at once. */
async function outcomesOf(client: AuthentikClient, count: number, first = 1): Promise<ReadonlySet<string>> {
  const calls = Array.from({ length: count }, (_, index) => orError(client.get(retrieve(first + index))));
  const outcomes = await Promise.all(calls);
  return new Set(outcomes.map((outcome) => (outcome instanceof AuthentikError ? outcome.kind : "answered")));
}

test("what an operation has left to ask is not sent once authentik has refused its credential", async () => {
  const { fake, authentik } = await connectToFake();
  fake.answer((_request, response) => sendJson(response, 403, { detail: "Token invalid/expired" }));
  const alice = operation(authentik);
  expect(await outcomesOf(alice, 900)).toEqual(new Set(["unauthenticated"]));
  expect(fake.requests.length).toBeLessThan(50);
  expect(alice.usage.restCalls).toBe(fake.requests.length);
  fake.answer(null);
  expect(await operation(authentik).get(retrieve(5))).toEqual(connectionBody(5));
});

test("credentials that authentik has not accepted yet share one turn", async () => {
  const gate = createGate();
  const { fake, authentik } = await connectToFake({ concurrency: 1 });
  await operation(authentik).get(retrieve(1));
  fake.answer(gate.answer);
  const strangers = [2, 3, 4].map((pk) => operation(authentik, { token: `made-up-${pk}` }).get(retrieve(pk)));
  const known = operation(authentik).get(retrieve(5));
  gate.open();
  await Promise.all([...strangers, known]);
  const asked = fake.paths().map((path) => Number(/(\d+)\/$/.exec(path)?.[1]));
  expect(asked).toEqual([1, 2, 3, 5, 4]);
});

/** The first `failing` requests are answered with 503. */
async function connectToFailing(failing: number) {
  const { fake, authentik } = await connectToFake();
  fake.answer((_request, response, fallback) => {
    if (fake.requests.length > failing) fallback();
    else sendJson(response, 503, { error: "authentik starting" }, { "Retry-After": "5" });
  });
  return { fake, authentik };
}

test("nothing is sent again when retries are off, or when the operation has used up its calls", async () => {
  const { fake, authentik } = await connectToFailing(2);
  const frugal = operation(authentik, { maxRestCalls: 1 });
  await expect(frugal.get(retrieve(5))).rejects.toMatchObject({ status: 503 });
  const once = operation(connect(fake.url, { retry: false }));
  await expect(once.get(retrieve(5))).rejects.toMatchObject({ status: 503 });
  expect(fake.requests).toHaveLength(2);
});

const left = new AuthentikError("cancelled", "the client left");

test.each([
  [
    "time runs out, the failure before it is the answer",
    new AuthentikError("timeout", "the time budget ended"),
    { kind: "starting", retryAfterSeconds: 5 },
  ],
  ["the client leaves, it is told so", left, left],
])("when in the pause before a retry %s, and nothing is sent again", async (_what, reason, outcome) => {
  const { fake, authentik } = await connectToFailing(2);
  const client = operation(authentik);
  const answer = client.get(retrieve(5));
  await fake.arrived(1);
  // The answer is on its way; the pause begins when it is there.
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
  client.abort(reason);
  await expect(answer).rejects.toMatchObject(outcome);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(fake.requests).toHaveLength(1);
});

test("connections that break under one call in ten are not seen by anybody", async () => {
  const { fake, authentik } = await connectToFake({
    fake: { pks: Array.from({ length: 1_000 }, (_, index) => index + 1) },
  });
  const broken = new Set<string>();
  fake.answer(({ path }, response, fallback) => {
    if (!path.endsWith("0/") || broken.has(path)) fallback();
    else {
      broken.add(path);
      response.socket?.resetAndDestroy();
    }
  });
  const client = operation(authentik);
  for (let first = 1; first <= 1_000; first += 100)
    expect(await outcomesOf(client, 100, first)).toEqual(new Set(["answered"]));
  expect(client.usage).toMatchObject({ restCalls: 1_100, retries: 100 });
  expect(fake.requests).toHaveLength(1_100);
});

test("answers that tell nothing of authentik's health keep the breaker closed", async () => {
  const answers = [404, 403, 429, 400, 500];
  const { fake, authentik } = await connectToFake();
  fake.answer((_request, response) =>
    sendPage(response, answers[fake.requests.length % answers.length] ?? 0, "No"),
  );
  await outcomesOf(operation(authentik), 100);
  expect(authentik.state().breaker).toBe("closed");
  expect(fake.requests).toHaveLength(100);
});

test.each([
  ["calls that were out when their time ended open the breaker", 12, 12, "timeout", "open", "unreachable"],
  ["calls that waited here until their time ended do not", 5, 100, "timeout", "closed", "timeout"],
  ["clients that leave do not", 30, 30, "cancelled", "closed", "cancelled"],
] as const)("%s", async (_what, concurrency, count, kind, breaker, next) => {
  const { fake, authentik } = await connectToFake({ concurrency, fake: { answer: () => {} } });
  const callAtOnce = (calls: number, ms: number) => {
    const client = operation(authentik);
    setTimeout(() => client.abort(new AuthentikError(kind, "ended")), ms);
    return outcomesOf(client, calls);
  };
  expect(await callAtOnce(count, 800)).toEqual(new Set([kind]));
  // A call given up while its connection is being made keeps its place until that is made.
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
  expect(authentik.state()).toMatchObject({ breaker, queued: 0 });
  expect(fake.requests).toHaveLength(concurrency);
  expect(await callAtOnce(3, 100)).toEqual(new Set([next]));
});

test("a worker that is recycled takes all calls in flight along, and nobody notices", async () => {
  const inFlight = 60;
  const gate = createGate();
  const { fake, authentik } = await connectToFake({ concurrency: inFlight });
  fake.answer(async (_request, response, fallback) => {
    if (fake.requests.length > inFlight) return fallback();
    await gate.opened;
    response.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" }).end("Internal Server Error");
  });
  const reading = outcomesOf(operation(authentik), inFlight);
  await fake.arrived(inFlight);
  gate.open();
  expect(await reading).toEqual(new Set(["answered"]));
  expect(fake.requests.length).toBe(2 * inFlight);
  expect(authentik.state().breaker).toBe("closed");
});

test("what waits when an outage opens the breaker is not sent", async () => {
  const { fake, authentik } = await connectToFake({
    fake: { answer: (_request, response) => void response.socket?.resetAndDestroy() },
  });
  expect(await outcomesOf(operation(authentik), 200)).toEqual(new Set(["unreachable"]));
  expect(authentik.state().breaker).toBe("open");
  expect(fake.requests.length).toBeLessThan(100);
});
