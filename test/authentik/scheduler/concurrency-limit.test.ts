import { describe, expect, test } from "vitest";
import { createFixedLimit, createGradientLimit } from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createSimulatedGateway, listOf, RETRIEVE, type SimulatedGateway, type Work } from "./simulation.ts";

/** So many clients that send one request after the other. */
function startLoad({
  workers,
  clients,
  work,
}: {
  workers: number;
  clients: number;
  work: () => Work;
}): SimulatedGateway {
  const gateway = createSimulatedGateway(workers);
  const send = (): void => gateway.send("caller", work(), send);
  for (let client = 0; client < clients; client += 1) send();
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
  test("starts at 8", () => {
    expect(createGradientLimit({ now: () => 0 }).permits()).toBe(8);
  });

  test("never grows while nobody waits, and learns nothing from slow answers to light traffic", () => {
    const { simulation, send, limit } = createSimulatedGateway(Infinity);
    const arrive = (): void => {
      send("caller", { ...RETRIEVE, serviceMs: simulation.random() < 0.3 ? 900 : 33 }, () => {});
      simulation.after(400, arrive);
    };
    arrive();
    simulation.runUntil(600_000);
    expect(limit.permits()).toBe(8);
  });

  test("stays between 2 and 256", () => {
    const busy = startLoad({ workers: 1, clients: 64, work: () => RETRIEVE });
    const endless = startLoad({ workers: Infinity, clients: 300, work: () => RETRIEVE });
    for (const { simulation } of [busy, endless]) simulation.runUntil(10_000);
    expect(busy.limit.permits()).toBeLessThanOrEqual(4);
    expect(busy.limit.permits()).toBeGreaterThanOrEqual(2);
    expect(endless.limit.permits()).toBe(256);
  });

  test("finds the same limit where some requests are long lists", () => {
    let sent = 0;
    const work = (): Work => ((sent += 1) % 5 === 0 ? listOf(100) : RETRIEVE);
    const { simulation, limit } = startLoad({ workers: 2, clients: 64, work });
    simulation.runUntil(60_000);
    expect(limit.permits()).toBeGreaterThanOrEqual(2);
    expect(limit.permits()).toBeLessThanOrEqual(12);
  });

  test("stays where it is while there is nothing but lists", () => {
    const { simulation, limit } = startLoad({ workers: 2, clients: 64, work: () => listOf(100) });
    simulation.runUntil(60_000);
    expect(limit.permits()).toBe(8);
  });

  test("measures minRTT anew when authentik has become slower, and goes back to where it was", () => {
    const { simulation, server, limit } = startLoad({ workers: 16, clients: 64, work: () => RETRIEVE });
    simulation.runUntil(10_000);
    expect(limit.permits()).toBeGreaterThan(16);
    server.slowDown(3);
    simulation.runUntil(40_000);
    expect(limit.permits()).toBeGreaterThan(16);
    server.slowDown(1);
    simulation.runUntil(80_000);
    expect(limit.permits()).toBeGreaterThan(16);
    expect(limit.permits()).toBeLessThan(50);
  });

  test("does not stay at the bottom where latency is this process's own, not authentik's", () => {
    let ownMs = 0;
    const work = (): Work => ({ ...RETRIEVE, serviceMs: 5 + ownMs });
    const { simulation, limit } = startLoad({ workers: Infinity, clients: 128, work });
    simulation.runUntil(2_000);
    ownMs = 50;
    simulation.runUntil(10_000);
    expect(limit.permits()).toBeGreaterThan(60);
  });

  test("shrinks to the bottom while authentik drops requests, and recovers within 5 s", () => {
    let isDropping = false;
    const work = (): Work => (isDropping ? { serviceMs: 20, kind: "dropped" } : RETRIEVE);
    const { simulation, limit } = startLoad({ workers: 16, clients: 64, work });
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
