import { expect, test } from "vitest";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { createGate, sendJson } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connect, connectToFake, operation, outcomesOf, retrieve } from "./connect.ts";

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

test.each([
  ["half of the queue", {}, 2],
  ["all of it in service mode, where there is no other", { serviceAuthorization: () => "Bearer own" }, 4],
])("one caller may fill %s", async (_what, options, queued) => {
  const gate = createGate();
  const { authentik } = await connectToFake({ concurrency: 1, queueMax: 4, fake: gate, ...options });
  const calls = [1, 2, 3, 4, 5, 6].map((pk) => operation(authentik).get(retrieve(pk)));
  expect(authentik.state()).toMatchObject({ inFlight: 1, queued });
  gate.open();
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1 + queued);
});

test("a call that gives up in the queue has waited there as well", async () => {
  const gate = createGate();
  const { fake, authentik } = await connectToFake({ concurrency: 1, fake: gate });
  const first = operation(authentik).get(retrieve(1));
  const second = operation(authentik);
  const waiting = second.get(retrieve(2));
  await fake.arrived(1);
  second.abort(left);
  expect(second.usage.queuedMs).toBeGreaterThan(0);
  await expect(waiting).rejects.toBe(left);
  gate.open();
  await first;
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

test.each([true, false])(
  "an operation that ends gives up all that it has under way, coalesced: %s",
  async (coalesce) => {
    const { fake, authentik } = await connectToFake({ fake: { answer: () => {} }, coalesce });
    const client = operation(authentik);
    const reads = [retrieve(5), retrieve(5), { ...retrieve(5), fresh: true }].map((request) =>
      client.get(request),
    );
    await fake.arrived(coalesce ? 1 : 2);
    client.abort(new AuthentikError("timeout", "too late"));
    const kinds = await Promise.all(reads.map((read) => read.catch(({ kind }: AuthentikError) => kind)));
    expect(kinds).toEqual(["timeout", "timeout", "timeout"]);
    await fake.abandoned(coalesce ? 1 : 2);
    expect(authentik.state().inFlight).toBe(0);
  },
);
