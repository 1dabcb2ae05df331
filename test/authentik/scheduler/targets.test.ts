import { describe, expect, test } from "vitest";
import { createSimulatedGateway, REFUSAL, RETRIEVE, type SimulatedGateway, type Work } from "./simulation.ts";

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

describe("64 clients with one retrieve each at a time, or as many as keep all workers busy", () => {
  test.each([
    { workers: 2, clients: 64, most: 12 },
    { workers: 16, clients: 64, most: 40 },
    { workers: 100, clients: 300, most: 200 },
  ])(
    "get 0.95 of what $workers workers can do, with $most in flight at most",
    ({ workers, clients, most }) => {
      const gateway = createSimulatedGateway(workers);
      const { simulation, queue } = gateway;
      const times: number[] = [];
      for (let client = 0; client < clients; client += 1) {
        gateway.addClient({ callerKey: `caller ${client}`, work: varied(gateway, RETRIEVE), times });
      }
      simulation.runUntil(4_000);
      times.length = 0;
      const inFlight: number[] = [];
      for (let at = 0; at <= 60_000; at += 7) simulation.after(at, () => inFlight.push(queue.inFlight()));
      simulation.runUntil(64_000);
      expect(times.length).toBeGreaterThanOrEqual(0.95 * workers * (60_000 / RETRIEVE.serviceMs));
      expect(Math.max(...inFlight)).toBeLessThanOrEqual(most);
      expect(Math.min(...inFlight)).toBeGreaterThanOrEqual(2);
    },
  );
});

test("128 clients of an authentik that always takes 20 ms have more than 60 in flight within 5 s", () => {
  const gateway = createSimulatedGateway(Infinity);
  const work = varied(gateway, { ...RETRIEVE, serviceMs: 20 });
  for (let client = 0; client < 128; client += 1) gateway.addClient({ callerKey: `caller ${client}`, work });
  gateway.simulation.runUntil(5_000);
  expect(gateway.queue.inFlight()).toBeGreaterThan(60);
});

type Client = Omit<Parameters<SimulatedGateway["addClient"]>[0], "times">;
type AddOthers = (gateway: SimulatedGateway) => void;

/**
 * How long a client's operations take beside others in a minute, once it is used to them, and the first one after a
 * minute of nothing but the others.
 */
function timesBeside(addOthers: AddOthers, workers: number, clientOf: (gateway: SimulatedGateway) => Client) {
  const gateway = createSimulatedGateway(workers);
  const { simulation } = gateway;
  const times: number[] = [];
  let isIdle = false;
  addOthers(gateway);
  const { pauseMs = () => 0, ...client } = clientOf(gateway);
  gateway.addClient({ ...client, times, pauseMs: () => (isIdle ? 60_000 : pauseMs()) });
  simulation.runUntil(5_000);
  times.length = 0;
  simulation.runUntil(65_000);
  const steady = times.splice(0);
  isIdle = true;
  simulation.runUntil(130_000);
  return { steady, afterIdleness: times[1] ?? NaN };
}

const singlesBeside = (addOthers: AddOthers): number[] =>
  timesBeside(addOthers, 2, (gateway) => ({
    callerKey: "single",
    work: varied(gateway, RETRIEVE),
    pauseMs: () => 20 + 60 * gateway.simulation.random(),
  })).steady;

describe("one retrieve at a time, two workers", () => {
  const alone = singlesBeside(() => {});

  test("beside another caller's 500: p95 at most 3 times as long as alone", () => {
    const beside = singlesBeside((gateway) =>
      gateway.addClient({ callerKey: "other", keys: 500, work: varied(gateway, RETRIEVE) }),
    );
    expect(quantile(beside, 0.95)).toBeLessThanOrEqual(3 * quantile(alone, 0.95));
  });

  test.each([
    { others: "with one token, however it is spelled", callerKey: "other", work: RETRIEVE },
    { others: "with tokens that they made up", callerKey: "", work: REFUSAL },
    { others: "refused at once", callerKey: "", work: { ...REFUSAL, serviceMs: 3 } },
  ])("beside 64 clients $others: p50 at most 3 times as long as alone", ({ callerKey, work }) => {
    const beside = singlesBeside((gateway) => {
      for (let client = 0; client < 64; client += 1)
        gateway.addClient({ callerKey, work: varied(gateway, work) });
    });
    expect(quantile(beside, 0.5)).toBeLessThanOrEqual(3 * quantile(alone, 0.5));
  });
});

describe("50 retrieves at once, an authentik that always takes 30 ms", () => {
  const fast = { ...RETRIEVE, serviceMs: 30 };
  const fiftyBeside = (addOthers: AddOthers) =>
    timesBeside(addOthers, Infinity, (gateway) => ({
      callerKey: "fifty",
      keys: 50,
      work: varied(gateway, fast),
    }));
  const alone = fiftyBeside(() => {});

  test.each([
    {
      others: "20 single reads a second of 300 callers",
      everyMs: 50,
      work: fast,
      callerOf: (index: number) => `caller ${index % 300}`,
    },
    { others: "30 requests a second with invalid tokens", everyMs: 33, work: REFUSAL, callerOf: () => "" },
    {
      others: "30 requests a second with invalid tokens that are refused at once",
      everyMs: 33,
      work: { ...REFUSAL, serviceMs: 3 },
      callerOf: () => "",
    },
  ])("take at most 1.5 times as long beside $others", ({ everyMs, work, callerOf }) => {
    const beside = fiftyBeside((gateway) => {
      const other = varied(gateway, work);
      // One by one, whatever is answered.
      for (let index = 0; index * everyMs <= 130_000; index += 1)
        gateway.simulation.after(index * everyMs, () => gateway.send(callerOf(index), other(), () => {}));
    });
    expect(quantile(beside.steady, 0.95)).toBeLessThanOrEqual(1.5 * quantile(alone.steady, 0.95));
    expect(beside.afterIdleness).toBeLessThanOrEqual(1.5 * alone.afterIdleness);
  });
});
