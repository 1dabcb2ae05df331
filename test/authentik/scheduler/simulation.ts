import {
  type ConcurrencyLimit,
  createGradientLimit,
  type LimitSample,
} from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createRequestQueue, type RequestQueue } from "../../../src/authentik/scheduler/queue.ts";

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

export function createSimulation(seed = 1): Simulation {
  let time = 0;
  let sequence = 0;
  let state = seed >>> 0;
  const heap: { at: number; sequence: number; action: () => void }[] = [];
  const before = (a: number, b: number): boolean => {
    const [x, y] = [heap[a]!, heap[b]!];
    return x.at < y.at || (x.at === y.at && x.sequence < y.sequence);
  };
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  };
  /** Runs the next event. */
  const step = (): void => {
    const event = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      let index = 0;
      for (;;) {
        let least = index;
        for (const child of [2 * index + 1, 2 * index + 2]) {
          if (child < heap.length && before(child, least)) least = child;
        }
        if (least === index) break;
        swap(index, least);
        index = least;
      }
    }
    time = event.at;
    event.action();
  };
  return {
    now: () => time,
    after(delayMs, action) {
      heap.push({ at: time + delayMs, sequence: (sequence += 1), action });
      let index = heap.length - 1;
      while (index > 0 && before(index, (index - 1) >> 1)) {
        swap(index, (index - 1) >> 1);
        index = (index - 1) >> 1;
      }
    },
    runUntil(timeMs) {
      while (heap.length > 0 && heap[0]!.at <= timeMs) step();
      time = timeMs;
    },
    async settle(promise) {
      const settled = new AbortController();
      const note = (): void => settled.abort();
      promise.then(note, note);
      await afterPromises();
      while (!settled.signal.aborted && heap.length > 0) {
        step();
        await afterPromises();
      }
      return promise;
    },
    random() {
      // mulberry32
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}

/** An authentik that serves first come, first served. */
export interface SimulatedServer {
  serve(serviceMs: number, done: () => void): void;
  /** Milliseconds of a worker spent so far. */
  spentMs(): number;
  /** Multiplies all service times from now on. */
  slowDown(factor: number): void;
}

export function createServer(simulation: Simulation, workers: number): SimulatedServer {
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
  queue: RequestQueue;
  limit: ConcurrencyLimit;
  /** One request; `done` gets its whole time, waiting included. */
  send: (
    callerKey: string,
    request: { serviceMs: number; kind: LimitSample["kind"] },
    done: (ms: number) => void,
  ) => void;
}

export function createSimulatedGateway(
  simulation: Simulation,
  server: SimulatedServer,
  limit: ConcurrencyLimit = createGradientLimit(simulation),
): SimulatedGateway {
  const queue = createRequestQueue({ limit, queueMax: 100_000 });
  return {
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
export function listOf(rows: number): { serviceMs: number; kind: "other" } {
  return { serviceMs: 30 + 2.6 * rows, kind: "other" };
}

/** The value below which this share of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
