import { expect, test } from "vitest";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { createGate, sendPage } from "../support/fake-authentik.ts";
import { connectToFake, operation, outcomesOf } from "./connect.ts";

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
  const client = operation(authentik);
  expect(await outcomesOf(client, 200)).toEqual(new Set(["unreachable"]));
  expect(authentik.state().breaker).toBe("open");
  expect(fake.requests.length).toBeLessThan(100);
  // Only what was sent again counts as such.
  expect(client.usage.retries).toBe(fake.requests.length - new Set(fake.paths()).size);
});
