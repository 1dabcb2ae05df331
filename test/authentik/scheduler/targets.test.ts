import { describe, expect, test } from "vitest";
import {
  createSimulatedGateway,
  listOf,
  REFUSAL,
  RETRIEVE,
  type SimulatedGateway,
  type Work,
} from "./simulation.ts";

/** What docs/decisions/0004 promises, in virtual time: nothing here sleeps or measures, every run is the same. */

/** Up to 30 % more or less, as real servers are. */
function varied({ simulation }: SimulatedGateway, work: Work): () => Work {
  return () => ({ ...work, serviceMs: work.serviceMs * (0.7 + 0.6 * simulation.random()) });
}

/** The value below which this share of all values lies. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** So many clients, each a caller of its own. */
function createClients(clients: number, workers: number, work: Work, times: number[] = []) {
  const gateway = createSimulatedGateway(workers);
  for (let client = 0; client < clients; client += 1)
    gateway.addClient({ callerKey: `caller ${client}`, work: varied(gateway, work), times });
  return gateway;
}

describe("clients with one retrieve each at a time", () => {
  test.each([
    { workers: 2, clients: 64, most: 12 },
    { workers: 100, clients: 300, most: 200 },
  ])("get 0.95 of what $workers workers can do, with $most in flight at most", (row) => {
    const { workers, clients, most } = row;
    const times: number[] = [];
    const { simulation, queue } = createClients(clients, workers, RETRIEVE, times);
    simulation.runUntil(4_000);
    times.length = 0;
    const inFlight: number[] = [];
    for (let at = 0; at <= 60_000; at += 7) simulation.after(at, () => inFlight.push(queue.inFlight()));
    simulation.runUntil(64_000);
    expect(times.length).toBeGreaterThanOrEqual(0.95 * workers * (60_000 / RETRIEVE.serviceMs));
    expect(Math.max(...inFlight)).toBeLessThanOrEqual(most);
    expect(Math.min(...inFlight)).toBeGreaterThanOrEqual(2);
  });

  test("have more than 60 in flight within 5 s where authentik always takes 20 ms", () => {
    const { simulation, queue } = createClients(128, Infinity, { ...RETRIEVE, serviceMs: 20 });
    simulation.runUntil(5_000);
    expect(queue.inFlight()).toBeGreaterThan(60);
  });
});

/** How long one retrieve at a time takes beside others on two workers, in a minute, once it is used to them. */
function quantileBeside(share: number, addOthers: (gateway: SimulatedGateway) => void): number {
  const gateway = createSimulatedGateway(2);
  const { simulation } = gateway;
  const times: number[] = [];
  const pauseMs = (): number => 50 * (0.5 + simulation.random());
  addOthers(gateway);
  gateway.addClient({ callerKey: "this one", work: varied(gateway, RETRIEVE), times, pauseMs });
  simulation.runUntil(5_000);
  times.length = 0;
  simulation.runUntil(65_000);
  return quantile(times, share);
}

describe("one retrieve at a time, two workers", () => {
  test("beside another caller's 500: p95 at most 3 times as long as alone", () => {
    const p95 = quantileBeside(0.95, (gateway) =>
      gateway.addClient({ callerKey: "other", keys: 500, work: varied(gateway, RETRIEVE) }),
    );
    expect(p95).toBeLessThanOrEqual(3 * quantileBeside(0.95, () => {}));
  });

  test.each([
    { others: "with one token, however it is spelled", callerKey: "other", work: RETRIEVE },
    { others: "with tokens that they made up", callerKey: "", work: REFUSAL },
  ])("beside 64 clients $others: p50 at most 3 times as long as alone", ({ callerKey, work }) => {
    const p50 = quantileBeside(0.5, (gateway) => {
      for (let client = 0; client < 64; client += 1)
        gateway.addClient({ callerKey, work: varied(gateway, work) });
    });
    expect(p50).toBeLessThanOrEqual(3 * quantileBeside(0.5, () => {}));
  });
});

describe("the limit", () => {
  test("learns nothing from slow answers to light traffic", () => {
    const { simulation, send, limit } = createSimulatedGateway(Infinity);
    const work = () => ({ ...RETRIEVE, serviceMs: simulation.random() < 0.3 ? 900 : 33 });
    for (let at = 0; at <= 600_000; at += 400) simulation.after(at, () => send("caller", work(), () => {}));
    simulation.runUntil(600_000);
    expect(limit.permits()).toBe(8);
  });

  const in99 = { ...RETRIEVE, serviceMs: 99 };

  /** Until when clients send what, one request after the other, and where between the limit is then. */
  type Phase = [untilMs: number, work: Work, least: number, most: number];

  test.each<[what: string, workers: number, clients: number, ...Phase[]]>([
    ["goes down to few, but not below 2", 1, 64, [60_000, RETRIEVE, 2, 4]],
    ["goes up to 256", Infinity, 300, [60_000, RETRIEVE, 256, 256]],
    ["stays where it is while there is nothing but lists", 2, 64, [60_000, listOf(100), 8, 8]],
    [
      "follows an authentik that becomes slower, and goes back to where it was",
      16,
      64,
      [10_000, RETRIEVE, 17, 256],
      [40_000, in99, 17, 256],
      [80_000, RETRIEVE, 17, 49],
    ],
    [
      "shrinks to the bottom while authentik drops requests, and recovers within 5 s",
      16,
      64,
      [10_000, RETRIEVE, 2, 256],
      [20_000, { serviceMs: 20, kind: "dropped" }, 2, 4],
      [25_000, RETRIEVE, 17, 256],
    ],
  ])("%s", (_what, workers, clients, ...phases) => {
    const { simulation, limit, addClient } = createSimulatedGateway(workers);
    let sent: Work | undefined;
    for (let client = 0; client < clients; client += 1) addClient({ work: () => sent ?? phases[0]![1] });
    for (const [untilMs, work, least, most] of phases) {
      sent = work;
      simulation.runUntil(untilMs);
      expect(limit.permits()).toBeGreaterThanOrEqual(least);
      expect(limit.permits()).toBeLessThanOrEqual(most);
    }
  });
});
