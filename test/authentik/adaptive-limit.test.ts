import { expect, test } from "vitest";
import {
  createServer,
  createSimulatedGateway,
  createSimulation,
  list,
  RETRIEVE,
  type SimulatedGateway,
  type SimulatedServer,
  type Simulation,
} from "./simulation.ts";

interface Load {
  simulation: Simulation;
  server: SimulatedServer;
  gateway: SimulatedGateway;
  /** Runs so many more seconds: calls answered in each of them, and the most that the server held. */
  run: (seconds: number) => { perSecond: number; mostHeld: number };
}

/** Clients that each call again as soon as they are answered. */
function load(options: {
  workers: number;
  clients: number;
  kind?: (simulation: Simulation) => typeof RETRIEVE;
  callerOf?: (client: number) => string;
  ownTurnMs?: () => number;
}): Load {
  const simulation = createSimulation();
  const server = createServer(simulation, options.workers);
  const gateway = createSimulatedGateway(simulation, server, options);
  const kind = options.kind ?? (() => RETRIEVE);
  let answered = 0;
  for (let client = 0; client < options.clients; client += 1) {
    const again = (): void => {
      gateway.call(options.callerOf?.(client) ?? "alice", kind(simulation), () => {
        answered += 1;
        again();
      });
    };
    simulation.after(0, again);
  }
  return {
    simulation,
    server,
    gateway,
    run(seconds) {
      const before = answered;
      server.resetMost();
      simulation.runUntil(simulation.now() + seconds * 1_000);
      return { perSecond: (answered - before) / seconds, mostHeld: server.mostHeld() };
    },
  };
}

/** Between 0.7 and 1.3 of what it should take. */
function spread(simulation: Simulation, kind: typeof RETRIEVE): typeof RETRIEVE {
  return { ...kind, serviceMs: kind.serviceMs * (0.7 + 0.6 * simulation.random()) };
}

test.each([
  ["of one caller, always 33 ms", 1, false],
  ["of 64 callers, always 33 ms", 64, false],
  ["of one caller, 23 to 43 ms", 1, true],
  ["of 64 callers, 23 to 43 ms", 64, true],
])(
  "two workers and 64 clients %s: 2 to 12 in flight, at the server's best throughput",
  (_name, callers, uneven) => {
    const { run } = load({
      workers: 2,
      clients: 64,
      kind: (simulation) => (uneven ? spread(simulation, RETRIEVE) : RETRIEVE),
      callerOf: (client) => `caller ${client % callers}`,
    });
    const start = run(2);
    expect(start.perSecond).toBeGreaterThan(0.95 * (2_000 / 33));
    const settled = run(28);
    expect(settled.perSecond).toBeGreaterThan(0.97 * (2_000 / 33));
    expect(settled.mostHeld).toBeGreaterThanOrEqual(2);
    expect(settled.mostHeld).toBeLessThanOrEqual(8);
  },
);

test.each([
  ["alike", (): typeof RETRIEVE => ({ ...RETRIEVE, serviceMs: 20 })],
  [
    "very unlike",
    (simulation: Simulation): typeof RETRIEVE => ({
      ...RETRIEVE,
      serviceMs: -20 * Math.log(1 - simulation.random()),
    }),
  ],
])("a server without bound and 20 ms, latencies %s: past 60 in flight within 3 seconds", (_name, kind) => {
  const { run, gateway } = load({ workers: Infinity, clients: 64, kind });
  run(3);
  expect(gateway.limit.places()).toBeGreaterThan(60);
  expect(run(20).perSecond).toBeGreaterThan(0.97 * 3_200);
});

test.each([1, 4, 16, 100])(
  "%i workers: at least 0.95 of the best throughput, and few calls wait there",
  (workers) => {
    const { run } = load({ workers, clients: 256, kind: (simulation) => spread(simulation, RETRIEVE) });
    run(4);
    const settled = run(30);
    expect(settled.perSecond).toBeGreaterThan(0.95 * ((workers * 1_000) / 33));
    expect(settled.mostHeld).toBeLessThanOrEqual(1.5 * workers + 3 * Math.sqrt(workers) + 5);
  },
);

test("a list of 100 rows is no slow retrieve: mixed load keeps its places", () => {
  const { run, gateway } = load({
    workers: 2,
    clients: 32,
    kind: (simulation) => (simulation.random() < 0.2 ? list(100) : RETRIEVE),
  });
  run(5);
  expect(run(30).perSecond).toBeGreaterThan(0.93 * (2_000 / (0.2 * 290 + 0.8 * 33)));
  expect(gateway.limit.places()).toBeGreaterThanOrEqual(3);
  expect(gateway.limit.places()).toBeLessThanOrEqual(12);
});

test("a machine that becomes three times slower is measured anew, not taken for a queue", () => {
  const { run, server, gateway } = load({
    workers: Infinity,
    clients: 64,
    kind: () => ({ ...RETRIEVE, serviceMs: 20 }),
  });
  run(10);
  server.slowDown(3);
  run(3);
  expect(gateway.limit.places()).toBeGreaterThan(60);
  expect(run(10).perSecond).toBeGreaterThan(0.97 * (64_000 / 60));
  server.slowDown(1);
  expect(run(10).perSecond).toBeGreaterThan(0.97 * 3_200);
});

test("two workers that become faster or slower stay between 2 and 12 in flight", () => {
  const { run, server } = load({
    workers: 2,
    clients: 64,
    kind: (simulation) => spread(simulation, RETRIEVE),
  });
  run(10);
  for (const factor of [3, 0.3, 1, 10, 1]) {
    server.slowDown(factor);
    run(6);
    const settled = run(20);
    expect(settled.mostHeld).toBeLessThanOrEqual(12);
    expect(settled.perSecond).toBeGreaterThan(0.95 * (2_000 / (33 * factor)));
  }
});

test("the first answers after a restart are slow and leave no mark", () => {
  let answered = 0;
  const { run } = load({
    workers: 2,
    clients: 64,
    kind: (simulation) => {
      answered += 1;
      return answered <= 6 ? { ...RETRIEVE, serviceMs: 600 } : spread(simulation, RETRIEVE);
    },
  });
  run(8);
  expect(run(20).mostHeld).toBeLessThanOrEqual(12);
});

test("when our own event loop is what takes the time, nobody is throttled", () => {
  // A server of 0.1 ms behind a process that takes 0.07 ms for each call: latencies grow with the calls in flight.
  const busy = { ...RETRIEVE, serviceMs: 0.07 };
  const { run, gateway } = load({ workers: 1, clients: 512, kind: () => busy, ownTurnMs: () => 9 });
  run(3);
  expect(gateway.limit.places()).toBeGreaterThan(200);
});

test("an idle gateway learns nothing: one client leaves the limit where it was", () => {
  const { run, gateway } = load({ workers: 2, clients: 1 });
  run(20);
  expect(gateway.limit.places()).toBe(8);
});

test("a server that drops calls gets fewer", () => {
  const simulation = createSimulation();
  const server = createServer(simulation, Infinity);
  const { limit } = createSimulatedGateway(simulation, server);
  for (let round = 0; round < 30; round += 1) {
    simulation.runUntil(simulation.now() + 100);
    const stamps = Array.from({ length: 10 }, (_, index) => limit.started(index + 1));
    limit.pressed();
    for (const stamp of stamps) limit.finished(stamp, { latencyMs: 1_000, bytes: 0, outcome: "dropped" });
  }
  expect(limit.places()).toBeLessThanOrEqual(5);
});

test("calls that hang do not hold up all others while a quiet authentik is measured", () => {
  const simulation = createSimulation();
  const server = createServer(simulation, Infinity);
  const gateway = createSimulatedGateway(simulation, server);
  for (let index = 0; index < 3; index += 1)
    gateway.call("hanging", { ...RETRIEVE, serviceMs: 60_000 }, () => {});
  let answered = 0;
  for (let client = 0; client < 32; client += 1) {
    const again = (): void => {
      gateway.call("alice", RETRIEVE, () => {
        answered += 1;
        again();
      });
    };
    simulation.after(0, again);
  }
  let last = 0;
  const perPeriod: number[] = [];
  for (let period = 1; period <= 8; period += 1) {
    simulation.runUntil(period * 4_000);
    perPeriod.push(answered - last);
    last = answered;
  }
  expect(Math.min(...perPeriod)).toBeGreaterThan(50);
});
