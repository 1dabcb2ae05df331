import { createAdaptiveLimit } from "../../src/authentik/adaptive-limit.ts";
import type { ConcurrencyLimit } from "../../src/authentik/concurrency-limit.ts";
import { createFairQueue, type FairQueue, type Ticket } from "../../src/authentik/fair-queue.ts";

/** A discrete-event simulation in virtual milliseconds: nothing sleeps, every run is the same. */
export interface Simulation {
  now: () => number;
  after: (delayMs: number, action: () => void) => void;
  /** Runs all events up to this time. */
  runUntil(timeMs: number): void;
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
      while (heap.length > 0 && heap[0]!.at <= timeMs) {
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
      }
      time = timeMs;
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

/** An authentik that answers first come, first served. */
export interface SimulatedServer {
  serve(serviceMs: number, done: () => void): void;
  /** Requests that it holds, running and waiting. */
  held(): number;
  mostHeld(): number;
  resetMost(): void;
  /** Multiplies all service times from now on. */
  slowDown(factor: number): void;
}

export function createServer(simulation: Simulation, workers: number): SimulatedServer {
  const backlog: { serviceMs: number; done: () => void }[] = [];
  let busy = 0;
  let most = 0;
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
      backlog.push({ serviceMs, done });
      startNext();
      most = Math.max(most, busy + backlog.length);
    },
    held: () => busy + backlog.length,
    mostHeld: () => most,
    resetMost: () => {
      most = busy + backlog.length;
    },
    slowDown: (by) => {
      factor = by;
    },
  };
}

/** The queue and limit of the product in front of a simulated server. */
export interface SimulatedGateway {
  queue: FairQueue;
  limit: ConcurrencyLimit;
  /** One call; `done` gets its whole time, waiting included. */
  call(
    callerKey: string,
    kind: { serviceMs: number; bytes: number; cost: number },
    done: (ms: number) => void,
  ): void;
}

export function createSimulatedGateway(
  simulation: Simulation,
  server: SimulatedServer,
  options: { limit?: ConcurrencyLimit; queueMax?: number; ownTurnMs?: () => number } = {},
): SimulatedGateway {
  const now = simulation.now;
  const limit = options.limit ?? createAdaptiveLimit({ now, ownTurnMs: options.ownTurnMs ?? (() => 0.1) });
  const queue = createFairQueue({
    limit,
    queueMax: options.queueMax ?? 100_000,
    now,
    after: simulation.after,
  });
  return {
    queue,
    limit,
    call(callerKey, { serviceMs, bytes, cost }, done) {
      const wantedAt = simulation.now();
      const start = (ticket: Ticket): void => {
        const sentAt = simulation.now();
        server.serve(serviceMs, () => {
          queue.release(ticket, { latencyMs: simulation.now() - sentAt, bytes, outcome: "answered" });
          done(simulation.now() - wantedAt);
        });
      };
      queue.enter({ callerKey, operation: queue, cost, start });
    },
  };
}

/** A retrieve and a list as real servers were timed: 33 ms, and 30 ms + 2.6 ms a row. */
export const RETRIEVE = { serviceMs: 33, bytes: 700, cost: 1 };
export function list(rows: number): { serviceMs: number; bytes: number; cost: number } {
  return { serviceMs: 30 + 2.6 * rows, bytes: 150 + 700 * rows, cost: 1 + rows / 12 };
}

/** The value below which this share of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
