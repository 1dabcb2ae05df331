import { describe, expect, test } from "vitest";
import { createFixedLimit, createGradientLimit } from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createSimulatedGateway, listOf, RETRIEVE, type Work } from "./simulation.ts";

/** So many clients that send one request after the other. */
function startLoad(workers: number, clients: number, work: () => Work = () => RETRIEVE) {
  const gateway = createSimulatedGateway(workers);
  for (let client = 0; client < clients; client += 1) gateway.addClient({ work });
  return gateway;
}

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

  let sent = 0;
  const everyFifthIsAList = (): Work => ((sent += 1) % 5 === 0 ? listOf(100) : RETRIEVE);

  test.each<[what: string, workers: number, clients: number, work: () => Work, least: number, most: number]>([
    ["goes down to few, but not below 2", 1, 64, () => RETRIEVE, 2, 4],
    ["goes up to 256", Infinity, 300, () => RETRIEVE, 256, 256],
    ["finds the same limit where some requests are long lists", 2, 64, everyFifthIsAList, 2, 12],
    ["stays where it is while there is nothing but lists", 2, 64, () => listOf(100), 8, 8],
  ])("%s", (_what, workers, clients, work, least, most) => {
    const { simulation, limit } = startLoad(workers, clients, work);
    simulation.runUntil(60_000);
    expect(limit.permits()).toBeGreaterThanOrEqual(least);
    expect(limit.permits()).toBeLessThanOrEqual(most);
  });

  test("measures minRTT anew when authentik has become slower, and goes back to where it was", () => {
    const { simulation, slowDown, limit } = startLoad(16, 64);
    simulation.runUntil(10_000);
    expect(limit.permits()).toBeGreaterThan(16);
    slowDown(3);
    simulation.runUntil(40_000);
    expect(limit.permits()).toBeGreaterThan(16);
    slowDown(1);
    simulation.runUntil(80_000);
    expect(limit.permits()).toBeGreaterThan(16);
    expect(limit.permits()).toBeLessThan(50);
  });

  test("does not stay at the bottom where latency is this process's own, not authentik's", () => {
    let ownMs = 0;
    const work = (): Work => ({ ...RETRIEVE, serviceMs: 5 + ownMs });
    const { simulation, limit } = startLoad(Infinity, 128, work);
    simulation.runUntil(2_000);
    ownMs = 50;
    simulation.runUntil(10_000);
    expect(limit.permits()).toBeGreaterThan(60);
  });

  test("shrinks to the bottom while authentik drops requests, and recovers within 5 s", () => {
    let isDropping = false;
    const work = (): Work => (isDropping ? { serviceMs: 20, kind: "dropped" } : RETRIEVE);
    const { simulation, limit } = startLoad(16, 64, work);
    simulation.runUntil(10_000);
    isDropping = true;
    simulation.runUntil(20_000);
    expect(limit.permits()).toBeLessThanOrEqual(4);
    isDropping = false;
    simulation.runUntil(25_000);
    expect(limit.permits()).toBeGreaterThan(16);
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
