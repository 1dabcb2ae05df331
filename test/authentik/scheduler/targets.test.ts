import { describe, expect, test } from "vitest";
import {
  createSimulatedGateway,
  quantile,
  REFUSAL,
  RETRIEVE,
  type SimulatedGateway,
  type Work,
} from "./simulation.ts";

/** What docs/decisions/0004 promises, in virtual time: nothing here sleeps or measures, every run is the same. */

/** Up to 30 % more or less, as real servers are. */
function varied({ simulation }: SimulatedGateway, work: Work): Work {
  return { ...work, serviceMs: work.serviceMs * (0.7 + 0.6 * simulation.random()) };
}

/** A client that sends an operation of so many requests at once, and the next one when all of it is answered. */
function addClient(
  gateway: SimulatedGateway,
  options: { callerKey: string; work: Work; keys?: number; pauseMs?: () => number; times?: number[] },
): void {
  const { simulation } = gateway;
  const { callerKey, work, keys = 1, pauseMs = () => 0, times = [] } = options;
  const operation = (): void => {
    const startedAt = simulation.now();
    let left = keys;
    const answered = (): void => {
      left -= 1;
      if (left > 0) return;
      times.push(simulation.now() - startedAt);
      simulation.after(pauseMs(), operation);
    };
    for (let key = 0; key < keys; key += 1) gateway.send(callerKey, varied(gateway, work), answered);
  };
  operation();
}

/** Requests that come one by one, whatever is answered. */
function addArrivals(
  gateway: SimulatedGateway,
  { everyMs, callerKey, work }: { everyMs: number; callerKey: (index: number) => string; work: Work },
): void {
  let index = 0;
  const arrive = (): void => {
    gateway.send(callerKey(index), varied(gateway, work), () => {});
    index += 1;
    gateway.simulation.after(everyMs, arrive);
  };
  arrive();
}

/** How many are in flight, looked at every few milliseconds for so long from now on. */
function watchInFlight({ simulation, queue }: SimulatedGateway, forMs: number): number[] {
  const seen: number[] = [];
  const until = simulation.now() + forMs;
  const look = (): void => {
    seen.push(queue.inFlight());
    if (simulation.now() < until) simulation.after(7, look);
  };
  look();
  return seen;
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
      const times: number[] = [];
      for (let client = 0; client < clients; client += 1) {
        addClient(gateway, { callerKey: `caller ${client}`, work: RETRIEVE, times });
      }
      gateway.simulation.runUntil(4_000);
      times.length = 0;
      const inFlight = watchInFlight(gateway, 60_000);
      gateway.simulation.runUntil(64_000);
      expect(times.length).toBeGreaterThanOrEqual(0.95 * workers * (60_000 / RETRIEVE.serviceMs));
      expect(Math.max(...inFlight)).toBeLessThanOrEqual(most);
      expect(Math.min(...inFlight)).toBeGreaterThanOrEqual(2);
    },
  );
});

test("128 clients of an authentik that always takes 20 ms have more than 60 in flight within 5 s", () => {
  const gateway = createSimulatedGateway(Infinity);
  for (let client = 0; client < 128; client += 1) {
    addClient(gateway, { callerKey: `caller ${client}`, work: { ...RETRIEVE, serviceMs: 20 } });
  }
  gateway.simulation.runUntil(5_000);
  expect(gateway.queue.inFlight()).toBeGreaterThan(60);
});

/** How long one takes, after ten seconds of getting used to what else there is. */
const singlesBeside = (addOthers: (gateway: SimulatedGateway) => void): number[] => {
  const gateway = createSimulatedGateway(2);
  const times: number[] = [];
  addOthers(gateway);
  addClient(gateway, {
    callerKey: "single",
    work: RETRIEVE,
    pauseMs: () => 20 + 60 * gateway.simulation.random(),
    times,
  });
  gateway.simulation.runUntil(10_000);
  times.length = 0;
  gateway.simulation.runUntil(70_000);
  return times;
};

describe("one retrieve at a time, two workers", () => {
  const alone = singlesBeside(() => {});

  test("beside another caller's 500: p95 at most 3 times as long as alone", () => {
    const beside = singlesBeside((gateway) =>
      addClient(gateway, { callerKey: "other", keys: 500, work: RETRIEVE }),
    );
    expect(quantile(beside, 0.95)).toBeLessThanOrEqual(3 * quantile(alone, 0.95));
  });

  test.each([
    { others: "with one token, however it is spelled", callerKey: "other", work: RETRIEVE },
    { others: "with tokens that they made up", callerKey: "", work: REFUSAL },
    { others: "refused at once", callerKey: "", work: { ...REFUSAL, serviceMs: 3 } },
  ])("beside 64 clients $others: p50 at most 3 times as long as alone", ({ callerKey, work }) => {
    const beside = singlesBeside((gateway) => {
      for (let client = 0; client < 64; client += 1) addClient(gateway, { callerKey, work });
    });
    expect(quantile(beside, 0.5)).toBeLessThanOrEqual(3 * quantile(alone, 0.5));
  });
});

describe("50 retrieves at once, an authentik that always takes 30 ms", () => {
  const work = { ...RETRIEVE, serviceMs: 30 };

  /** How long they take in a minute of operations, and the first time after a minute of nothing but the others. */
  const timesBeside = (
    addOthers: (gateway: SimulatedGateway) => void,
  ): { steady: number[]; afterIdleness: number } => {
    const gateway = createSimulatedGateway(Infinity);
    const times: number[] = [];
    let isIdle = false;
    addOthers(gateway);
    addClient(gateway, {
      callerKey: "fifty",
      keys: 50,
      work,
      pauseMs: () => (isIdle ? 60_000 : 0),
      times,
    });
    gateway.simulation.runUntil(5_000);
    times.length = 0;
    gateway.simulation.runUntil(65_000);
    const steady = times.splice(0);
    isIdle = true;
    gateway.simulation.runUntil(130_000);
    return { steady, afterIdleness: times[1] ?? NaN };
  };
  const alone = timesBeside(() => {});

  test.each([
    {
      others: "20 single reads a second of 300 callers",
      arrivals: { everyMs: 50, callerKey: (index: number) => `caller ${index % 300}`, work },
    },
    {
      others: "30 requests a second with invalid tokens",
      arrivals: { everyMs: 33, callerKey: () => "", work: REFUSAL },
    },
    {
      others: "30 requests a second with invalid tokens that are refused at once",
      arrivals: { everyMs: 33, callerKey: () => "", work: { ...REFUSAL, serviceMs: 3 } },
    },
  ])("take at most 1.5 times as long beside $others", ({ arrivals }) => {
    const beside = timesBeside((gateway) => addArrivals(gateway, arrivals));
    expect(quantile(beside.steady, 0.95)).toBeLessThanOrEqual(1.5 * quantile(alone.steady, 0.95));
    expect(beside.afterIdleness).toBeLessThanOrEqual(1.5 * alone.afterIdleness);
  });
});
