import { expect, test } from "vitest";
import type { Authentik } from "../../src/authentik/client.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { createGate, type Sending } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connectToFake, operation, retrieve } from "./connect.ts";

/** One operation with so many calls; it ends after `ms` for this reason, or when all are answered. */
async function callAtOnce(
  authentik: Authentik,
  count: number,
  ending?: { ms: number; kind: "timeout" | "cancelled" },
): Promise<string[]> {
  const client = operation(authentik);
  if (ending !== undefined)
    setTimeout(() => client.abort(new AuthentikError(ending.kind, "ended")), ending.ms);
  const outcomes = await Promise.allSettled(
    Array.from({ length: count }, (_, index) => client.get(retrieve(1_000 + index))),
  );
  return outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? "answered" : (outcome.reason as AuthentikError).kind,
  );
}

test.each([
  ["calls that were out when their time ended open the breaker", 12, 12, "timeout", "open", "unreachable"],
  ["calls that waited here until their time ended do not", 5, 100, "timeout", "closed", "timeout"],
  ["clients that leave do not", 30, 30, "cancelled", "closed", "cancelled"],
] as const)("%s", async (_what, concurrency, count, kind, breaker, next) => {
  const { fake, authentik } = await connectToFake({ concurrency, fake: { answer: () => {} } });
  expect(new Set(await callAtOnce(authentik, count, { ms: 800, kind }))).toEqual(new Set([kind]));
  // A call given up while its connection is being made keeps its place until that is made.
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
  expect(authentik.state()).toMatchObject({ breaker, queued: 0 });
  expect(fake.requests).toHaveLength(concurrency);
  expect(await callAtOnce(authentik, 3, { ms: 100, kind })).toEqual([next, next, next]);
});

const TAKEN_ALONG: [name: string, inFlight: number, Sending][] = [
  [
    "a worker that is recycled",
    10,
    (response) =>
      response.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" }).end("Internal Server Error"),
  ],
  ["a worker that is killed", 12, (response) => response.socket?.resetAndDestroy()],
  ["a proxy that closes", 60, (response) => response.socket?.end()],
];

test.each(TAKEN_ALONG)(
  "%s takes all %i calls in flight along, and nobody notices",
  async (_name, inFlight, take) => {
    const gate = createGate();
    const pks = Array.from({ length: inFlight }, (_, index) => index + 1);
    const { fake, authentik } = await connectToFake({ concurrency: inFlight, fake: { pks } });
    fake.answer(async (_request, response, fallback) => {
      if (fake.requests.length > inFlight) {
        fallback();
        return;
      }
      await gate.opened;
      take(response);
    });
    const client = operation(authentik);
    const reading = pks.map((pk) => client.get(retrieve(pk)));
    await fake.arrived(inFlight);
    gate.open();
    expect(await Promise.all(reading)).toEqual(pks.map((pk) => connectionBody(pk)));
    expect(fake.requests.length).toBe(2 * inFlight);
    expect(authentik.state().breaker).toBe("closed");
  },
);

test("an outage of resets opens it soon, and what waited then is not sent", async () => {
  const { fake, authentik } = await connectToFake({
    fake: { answer: (_request, response) => void response.socket?.resetAndDestroy() },
  });
  expect(new Set(await callAtOnce(authentik, 200))).toEqual(new Set(["unreachable"]));
  expect(authentik.state().breaker).toBe("open");
  expect(fake.requests.length).toBeLessThan(100);
});
