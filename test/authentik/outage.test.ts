import { expect, test } from "vitest";
import { AuthentikError, orError } from "../../src/authentik/authentik-error.ts";
import { createGate } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connectToFake, operation, retrieve } from "./connect.ts";

test.each([
  ["calls that were out when their time ended open the breaker", 12, 12, "timeout", "open", "unreachable"],
  ["calls that waited here until their time ended do not", 5, 100, "timeout", "closed", "timeout"],
  ["clients that leave do not", 30, 30, "cancelled", "closed", "cancelled"],
] as const)("%s", async (_what, concurrency, count, kind, breaker, next) => {
  const { fake, authentik } = await connectToFake({ concurrency, fake: { answer: () => {} } });
  /** What becomes of one operation with so many calls, which ends after so many milliseconds. */
  const callAtOnce = async (calls: number, ms: number): Promise<Set<unknown>> => {
    const client = operation(authentik);
    setTimeout(() => client.abort(new AuthentikError(kind, "ended")), ms);
    const reading = Array.from({ length: calls }, (_, index) => client.get(retrieve(1_000 + index)));
    const ended = await Promise.all(reading.map(orError));
    return new Set(ended.map((error) => error instanceof AuthentikError && error.kind));
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
  const pks = Array.from({ length: inFlight }, (_, index) => index + 1);
  const { fake, authentik } = await connectToFake({ concurrency: inFlight });
  fake.answer(async (_request, response, fallback) => {
    if (fake.requests.length > inFlight) return fallback();
    await gate.opened;
    response.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" }).end("Internal Server Error");
  });
  const client = operation(authentik);
  const reading = pks.map((pk) => client.get(retrieve(pk)));
  await fake.arrived(inFlight);
  gate.open();
  expect(await Promise.all(reading)).toEqual(pks.map((pk) => connectionBody(pk)));
  expect(fake.requests.length).toBe(2 * inFlight);
  expect(authentik.state().breaker).toBe("closed");
});
