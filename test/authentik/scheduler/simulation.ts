import {
  type ConcurrencyLimit,
  createGradientLimit,
  type LimitSample,
} from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createRequestQueue, type RequestQueue } from "../../../src/authentik/scheduler/queue.ts";
import { createRandom } from "../../support/random.ts";

/** All promises that can go on have gone on by then. */
const afterPromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A discrete-event simulation in virtual milliseconds: nothing sleeps, every run is the same. */
export interface Simulation {
  now: () => number;
  after: (delayMs: number, action: () => void) => void;
  /** Runs all events up to this time. */
  runUntil(timeMs: number): void;
  /** Runs events until this has come, with everything that waits for promises in between. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Uniform in [0, 1), the same sequence in every run. */
  random(): number;
}

function createSimulation(): Simulation {
  const random = createRandom(1);
  let time = 0;
  /** Ascending by time; what was asked for first comes first at the same time. */
  const events: { at: number; action: () => void }[] = [];
  const step = ({ at, action }: (typeof events)[number]): void => {
    time = at;
    action();
  };
  return {
    now: () => time,
    after(delayMs, action) {
      const at = time + delayMs;
      events.splice(events.findLastIndex((event) => event.at <= at) + 1, 0, { at, action });
    },
    runUntil(timeMs) {
      for (let next; (next = events[0]) && next.at <= timeMs;) {
        events.shift();
        step(next);
      }
      time = timeMs;
    },
    async settle(promise) {
      const settled = new AbortController();
      const note = (): void => settled.abort();
      promise.then(note, note);
      await afterPromises();
      for (let next; !settled.signal.aborted && (next = events.shift());) {
        step(next);
        await afterPromises();
      }
      return promise;
    },
    random: () => random.next(),
  };
}

/** An authentik that serves first come, first served. */
interface SimulatedServer {
  serve(serviceMs: number, done: () => void): void;
  /** Milliseconds of a worker spent so far. */
  spentMs(): number;
  /** Multiplies all service times from now on. */
  slowDown(factor: number): void;
}

function createServer(simulation: Simulation, workers: number): SimulatedServer {
  const backlog: { serviceMs: number; done: () => void }[] = [];
  let busy = 0;
  let spentMs = 0;
  let factor = 1;
  const startNext = (): void => {
    while (busy < workers && backlog.length > 0) {
      const { serviceMs, done } = backlog.shift()!;
      busy += 1;
      simulation.after(serviceMs * factor, () => {
        busy -= 1;
        done();
        startNext();
      });
    }
  };
  return {
    serve(serviceMs, done) {
      spentMs += serviceMs;
      backlog.push({ serviceMs, done });
      startNext();
    },
    spentMs: () => spentMs,
    slowDown: (by) => {
      factor = by;
    },
  };
}

/** The real queue and limit in front of a simulated authentik. */
export interface SimulatedGateway {
  simulation: Simulation;
  server: SimulatedServer;
  queue: RequestQueue;
  limit: ConcurrencyLimit;
  /** One request; `done` gets its whole time, waiting included. */
  send: (callerKey: string, request: Work, done: (ms: number) => void) => void;
}

/** What a request costs a worker. */
export interface Work {
  serviceMs: number;
  kind: LimitSample["kind"];
}

export function createSimulatedGateway(workers: number): SimulatedGateway {
  const simulation = createSimulation();
  const server = createServer(simulation, workers);
  const limit = createGradientLimit(simulation);
  const queue = createRequestQueue({ limit, queueMax: 100_000 });
  return {
    simulation,
    server,
    queue,
    limit,
    send(callerKey, { serviceMs, kind }, done) {
      const wantedAt = simulation.now();
      queue.enter({
        callerKey,
        start() {
          const sentAt = simulation.now();
          server.serve(serviceMs, () => {
            queue.release({ latencyMs: simulation.now() - sentAt, kind });
            done(simulation.now() - wantedAt);
          });
        },
      });
    },
  };
}

/** What real servers were timed at: a retrieve, the refusal of a credential, and a list. */
export const RETRIEVE = { serviceMs: 33, kind: "retrieve" } as const;
export const REFUSAL = { serviceMs: 31, kind: "refusal" } as const;
export function listOf(rows: number): Work {
  return { serviceMs: 30 + 2.6 * rows, kind: "other" };
}

/** The value below which this share of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
