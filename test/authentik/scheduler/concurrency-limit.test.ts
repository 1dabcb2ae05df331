import { describe, expect, test } from "vitest";
import { createFixedLimit, createGradientLimit } from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createSimulatedGateway, listOf, RETRIEVE, type Work } from "./simulation.ts";

let sent = 0;
const everyFifthIsAList = (): Work => ((sent += 1) % 5 === 0 ? listOf(100) : RETRIEVE);
const retrieves = (serviceMs: number) => (): Work => ({ ...RETRIEVE, serviceMs });
const dropped = (): Work => ({ serviceMs: 20, kind: "dropped" });

/** Until when clients send what, one request after the other, and where between the limit is then. */
type Phase = [untilMs: number, work: () => Work, least: number, most: number];

test("a fixed limit stays what it is", () => {
  const limit = createFixedLimit(3);
  for (let request = 1; request < 100; request += 1) {
    limit.started(3);
    limit.finished({ latencyMs: request * 1_000, kind: "dropped" });
  }
  expect(limit.permits()).toBe(3);
});

describe("the gradient limit", () => {
  test("never grows while nobody waits, and learns nothing from slow answers to light traffic", () => {
    const { simulation, send, limit } = createSimulatedGateway(Infinity);
    for (let at = 0; at <= 600_000; at += 400)
      simulation.after(at, () =>
        send("caller", { ...RETRIEVE, serviceMs: simulation.random() < 0.3 ? 900 : 33 }, () => {}),
      );
    simulation.runUntil(600_000);
    expect(limit.permits()).toBe(8);
  });

  test.each<[what: string, workers: number, clients: number, phases: Phase[]]>([
    ["goes down to few, but not below 2", 1, 64, [[60_000, retrieves(33), 2, 4]]],
    ["goes up to 256", Infinity, 300, [[60_000, retrieves(33), 256, 256]]],
    ["finds the same limit where some requests are long lists", 2, 64, [[60_000, everyFifthIsAList, 2, 12]]],
    ["stays where it is while there is nothing but lists", 2, 64, [[60_000, () => listOf(100), 8, 8]]],
    [
      "measures minRTT anew when authentik has become slower, and goes back to where it was",
      16,
      64,
      [
        [10_000, retrieves(33), 17, 256],
        [40_000, retrieves(99), 17, 256],
        [80_000, retrieves(33), 17, 49],
      ],
    ],
    [
      "does not stay at the bottom where latency is this process's own, not authentik's",
      Infinity,
      128,
      [
        [2_000, retrieves(5), 2, 256],
        [10_000, retrieves(55), 61, 256],
      ],
    ],
    [
      "shrinks to the bottom while authentik drops requests, and recovers within 5 s",
      16,
      64,
      [
        [10_000, retrieves(33), 2, 256],
        [20_000, dropped, 2, 4],
        [25_000, retrieves(33), 17, 256],
      ],
    ],
  ])("%s", (_what, workers, clients, phases) => {
    const gateway = createSimulatedGateway(workers);
    const { simulation, limit } = gateway;
    let work = phases[0]![1];
    for (let client = 0; client < clients; client += 1) gateway.addClient({ work: () => work() });
    for (const [untilMs, sent, least, most] of phases) {
      work = sent;
      simulation.runUntil(untilMs);
      expect(limit.permits()).toBeGreaterThanOrEqual(least);
      expect(limit.permits()).toBeLessThanOrEqual(most);
    }
  });

  test("ends a probe after a second where nothing comes back", () => {
    let time = 0;
    const limit = createGradientLimit({ now: () => time });
    // Eight in flight all the time, ever slower: minRTT is doubted.
    for (let request = 1; request <= 10; request += 1) {
      time += 20;
      limit.started(8);
      limit.finished({ latencyMs: 10 * request, kind: "retrieve" });
    }
    expect(limit.permits()).toBe(2);
    time += 999;
    expect(limit.permits()).toBe(2);
    time += 1;
    expect(limit.permits()).toBeGreaterThan(2);
  });
});
