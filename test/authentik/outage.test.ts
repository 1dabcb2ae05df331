import type { ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { Authentik } from "../../src/authentik/client.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { createGate, sendPage, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connect, operation, retrieve } from "./connect.ts";

let fake: FakeAuthentik;
let authentik: Authentik;
afterEach(async () => {
  await authentik.close();
  await fake.close();
});

/** One operation with so many calls; it ends after `ms` for this reason, or when all are answered. */
async function callAtOnce(
  count: number,
  ending?: { ms: number; kind: "timeout" | "cancelled" },
): Promise<string[]> {
  const controller = new AbortController();
  const { signal } = controller;
  if (ending !== undefined)
    setTimeout(() => controller.abort(new AuthentikError(ending.kind, "ended")), ending.ms);
  const client = operation(authentik, { signal });
  const outcomes = await Promise.allSettled(
    Array.from({ length: count }, (_, index) => client.get(retrieve(1_000 + index))),
  );
  return outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? "answered" : (outcome.reason as AuthentikError).kind,
  );
}

async function settled(): Promise<void> {
  // A call given up while its connection is being made keeps its place until that is made.
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
}

test("calls that were out when their time ended open the breaker", async () => {
  fake = await startFakeAuthentik({ answer: () => {} });
  authentik = connect(fake.url, { concurrency: 12 });
  expect(new Set(await callAtOnce(12, { ms: 800, kind: "timeout" }))).toEqual(new Set(["timeout"]));
  await settled();
  expect(authentik.state().breaker).toBe("open");
  expect(await callAtOnce(3)).toEqual(["unreachable", "unreachable", "unreachable"]);
  expect(fake.requests.length).toBe(12);
});

test("calls that waited here until their time ended do not", async () => {
  fake = await startFakeAuthentik({ answer: () => {} });
  authentik = connect(fake.url, { concurrency: 5 });
  expect(new Set(await callAtOnce(100, { ms: 800, kind: "timeout" }))).toEqual(new Set(["timeout"]));
  await settled();
  expect(authentik.state().breaker).toBe("closed");
  expect(fake.requests.length).toBe(5);
});

test("clients that leave do not open it", async () => {
  fake = await startFakeAuthentik({ answer: () => {} });
  authentik = connect(fake.url);
  await callAtOnce(30, { ms: 600, kind: "cancelled" });
  expect(authentik.state()).toMatchObject({ breaker: "closed", queued: 0 });
  await settled();
});

const TAKEN_ALONG: [name: string, inFlight: number, (response: ServerResponse) => void][] = [
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
    fake = await startFakeAuthentik({ pks: Array.from({ length: inFlight }, (_, index) => index + 1) });
    fake.answer(async (_request, response, fallback) => {
      if (fake.requests.length > inFlight) {
        fallback();
        return;
      }
      await gate.opened;
      take(response);
    });
    authentik = connect(fake.url, { concurrency: inFlight });
    const client = operation(authentik);
    const reading = Array.from({ length: inFlight }, (_, index) => client.get(retrieve(index + 1)));
    await fake.arrived(inFlight);
    gate.open();
    expect(await Promise.all(reading)).toEqual(
      Array.from({ length: inFlight }, (_, index) => connectionBody(index + 1)),
    );
    expect(fake.requests.length).toBe(2 * inFlight);
    expect(authentik.state().breaker).toBe("closed");
  },
);

test("an outage of resets opens it within as many calls as any other", async () => {
  fake = await startFakeAuthentik({
    answer: (_request, response) => void response.socket?.resetAndDestroy(),
  });
  authentik = connect(fake.url);
  let calls = 0;
  for (let round = 0; round < 20; round += 1) {
    expect(new Set(await callAtOnce(10))).toEqual(new Set(["unreachable"]));
    calls += 10;
  }
  expect(authentik.state().breaker).not.toBe("closed");
  expect(fake.requests.length).toBeLessThan(calls / 2);
});

test("what one caller asks wrongly never opens it for others", async () => {
  const answers: [number, string][] = [
    [404, "Not Found"],
    [403, "Forbidden"],
    [429, "Too Many Requests"],
    [400, "Bad Request"],
    [500, "Server Error"],
  ];
  let index = 0;
  fake = await startFakeAuthentik({
    answer: (_request, response) => {
      const [status, heading] = answers[(index += 1) % answers.length] ?? [500, ""];
      sendPage(response, status, heading);
    },
  });
  authentik = connect(fake.url);
  await callAtOnce(100);
  expect(authentik.state().breaker).toBe("closed");
  expect(fake.requests.length).toBe(100);
});

test("when authentik is back, one call finds out and all others follow", async () => {
  fake = await startFakeAuthentik({ answer: (_request, response) => sendPage(response, 503, "Unavailable") });
  authentik = connect(fake.url, { retry: false });
  await callAtOnce(20);
  expect(authentik.state().breaker).toBe("open");
  fake.answer(null);
  while (authentik.state().breaker === "open") await new Promise((resolve) => setTimeout(resolve, 50));
  const before = fake.requests.length;
  expect(await callAtOnce(1)).toEqual(["not-found"]);
  expect(fake.requests.length).toBe(before + 1);
  expect(authentik.state().breaker).toBe("closed");
});
