import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway, type TestGatewayOptions } from "../support/gateway.ts";
import { times } from "./adversarial-documents.ts";
import { ask } from "../support/ask.ts";

const DEADLINE_MS = 600;
/** For the machine, not for the gateway. */
const NOISE_MS = 900;

let authentik: FakeAuthentik;
let gateway: TestGateway;

beforeEach(async () => {
  authentik = await startFakeAuthentik({ answer: () => {} });
});
afterEach(async () => {
  await gateway.close();
  await authentik.close();
});

async function start(options: Omit<TestGatewayOptions, "authentikUrl"> = {}): Promise<void> {
  gateway = await startGateway({
    authentikUrl: authentik.url,
    ...options,
    gateway: { operationTimeoutMs: DEADLINE_MS, ...options.gateway },
  });
}

const single = (id: number): string => `{plexConnection(id:${id}){user}}`;

describe("one budget for an operation", () => {
  test("holds for 100 operations on 10 connections that hang", async () => {
    await start({ authentik: { concurrency: 10, list: false } });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        ask(gateway.url, single(index + 1), { authorization: `Bearer t${index}` }),
      ),
    );
    const codes = answers.flatMap((answer) => answer.codes);
    expect(codes).toHaveLength(100);
    // Ten timeouts open the breaker, which the last ones may still meet.
    expect(codes.filter((code) => code === "UPSTREAM_TIMEOUT").length).toBeGreaterThanOrEqual(10);
    expect(codes.every((code) => code === "UPSTREAM_TIMEOUT" || code === "UPSTREAM_UNAVAILABLE")).toBe(true);
    const durations = gateway.records.map(({ durationMs }) => durationMs);
    expect(Math.max(...durations)).toBeLessThan(DEADLINE_MS + NOISE_MS);
  });

  test("covers all calls of an operation together, one after the other too", async () => {
    authentik.answer((_request, _response, fallback) => void setTimeout(fallback, 250));
    await start({ authentik: { concurrency: 1, list: false } });
    const started = performance.now();
    const { codes, result } = await ask(
      gateway.url,
      `{${times(6, (i) => `a${i}:plexConnection(id:${i + 1}){user}`)}}`,
    );
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS + NOISE_MS);
    expect(codes.length).toBeGreaterThanOrEqual(4);
    expect(new Set(codes)).toEqual(new Set(["UPSTREAM_TIMEOUT"]));
    // What came in time is not thrown away.
    expect(result.data?.["a0"]).toEqual({ user: expect.any(Number) });
  });

  test("gives sockets and places back when it ends", async () => {
    await start({ authentik: { concurrency: 2, list: false } });
    await Promise.all([1, 2, 3, 4].map((id) => ask(gateway.url, single(id))));
    await authentik.abandoned(authentik.requests.length);
    authentik.answer(null);
    const answers = await Promise.all([1, 2, 3, 4].map((id) => ask(gateway.url, single(id))));
    expect(answers.map(({ codes }) => codes)).toEqual([[], [], [], []]);
  });
});

describe("a queue that is full", () => {
  test("refuses at once, and nothing is sent", async () => {
    await start({ authentik: { concurrency: 2, queueMax: 10, list: false } });
    const waiting = Array.from({ length: 12 }, (_, index) =>
      ask(gateway.url, single(index + 1), { authorization: `Bearer t${index}` }),
    );
    await authentik.arrived(2);
    // The rest has been taken in when an operation that needs no call is answered.
    await ask(gateway.url, "{__typename}");
    await expect
      .poll(async () => {
        const started = performance.now();
        const { codes } = await ask(gateway.url, single(50), { authorization: "Bearer late" });
        return performance.now() - started < DEADLINE_MS ? codes : ["late"];
      })
      .toEqual(["OVERLOADED"]);
    expect(authentik.requests).toHaveLength(2);
    await Promise.all(waiting);
  });
});

describe("a client that leaves", () => {
  test("takes its REST calls along, at once", async () => {
    await start({ gateway: { operationTimeoutMs: 20_000 }, authentik: { concurrency: 100, list: false } });
    const leaving = Array.from({ length: 100 }, () => new AbortController());
    const asked = leaving.map(({ signal }, index) =>
      ask(gateway.url, single(index + 1), { authorization: `Bearer t${index}`, signal }).catch(() => "left"),
    );
    await authentik.arrived(100);
    const started = performance.now();
    for (const controller of leaving) controller.abort();
    await authentik.abandoned(100);
    expect(performance.now() - started).toBeLessThan(100 + NOISE_MS);
    await Promise.all(asked);
    await expect
      .poll(() => gateway.records.map(({ outcome }) => outcome))
      .toEqual(Array(100).fill("client-left"));
  });

  test("causes no new ones, neither those that waited nor those after an answer", async () => {
    await start({ gateway: { operationTimeoutMs: 20_000 }, authentik: { concurrency: 4, list: false } });
    const controller = new AbortController();
    const query = `{${times(50, (i) => `a${i}:plexConnection(id:${i + 1}){user}`)}}`;
    const asked = ask(gateway.url, query, { signal: controller.signal }).catch(() => "left");
    await authentik.arrived(4);
    controller.abort();
    await asked;
    await authentik.abandoned(4);
    await sleep(200);
    expect(authentik.requests).toHaveLength(4);
  });

  test("during the pause before a retry sends no second call", async () => {
    authentik.answer((_request, response) => void response.writeHead(503).end());
    await start({ gateway: { operationTimeoutMs: 20_000 } });
    for (let round = 0; round < 8; round++) {
      const controller = new AbortController();
      const before = authentik.requests.length;
      const asked = ask(gateway.url, single(round + 1), { signal: controller.signal }).catch(() => "left");
      await authentik.arrived(before + 1);
      controller.abort();
      await asked;
    }
    const sent = authentik.requests.length;
    await sleep(400);
    // A pause is at least 25 ms: leaving at once comes before nearly every second call.
    expect(authentik.requests.length).toBe(sent);
    expect(sent).toBeLessThanOrEqual(10);
  });
});
