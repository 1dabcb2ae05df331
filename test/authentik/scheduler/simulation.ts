import { createGradientLimit, type LimitSample } from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createRequestQueue } from "../../../src/authentik/scheduler/queue.ts";
import { createRandom } from "../../support/random.ts";

/** All promises that can go on have gone on by then. */
const afterPromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A discrete-event simulation in virtual milliseconds: nothing sleeps, every run is the same. */
function createSimulation() {
  let time = 0;
  /** Ascending by time; what was asked for first comes first at the same time. */
  const events: { at: number; action: () => void }[] = [];
  /** The next event, unless it comes later than that. */
  const step = (untilMs = Infinity): boolean => {
    if (events[0] === undefined || events[0].at > untilMs) return false;
    const { at, action } = events.shift()!;
    time = at;
    action();
    return true;
  };
  return {
    now: () => time,
    /** At least 0, below 1; the same sequence in every run. */
    random: createRandom(1).next,
    after(delayMs: number, action: () => void): void {
      const at = time + delayMs;
      const later = events.findIndex((event) => event.at > at);
      events.splice(later === -1 ? events.length : later, 0, { at, action });
    },
    runUntil(timeMs: number): void {
      while (step(timeMs));
      time = timeMs;
    },
    /** Runs events until this has come, with everything that waits for promises in between. */
    async settle<T>(promise: Promise<T>): Promise<T> {
      const settled = new AbortController();
      const note = (): void => settled.abort();
      promise.then(note, note);
      do await afterPromises();
      while (!settled.signal.aborted && step());
      return promise;
    },
  };
}

/** What a request costs a worker. */
export interface Work {
  serviceMs: number;
  kind: LimitSample["kind"];
}

/** What real servers were timed at: a retrieve, the refusal of a credential, and a list. */
export const RETRIEVE = { serviceMs: 33, kind: "retrieve" } as const;
export const REFUSAL = { serviceMs: 31, kind: "refusal" } as const;
export function listOf(rows: number): Work {
  return { serviceMs: 30 + 2.6 * rows, kind: "other" };
}

/** Sends an operation of so many requests at once, and the next one after a pause when all of it is answered. */
interface SimulatedClient {
  callerKey?: string;
  work: () => Work;
  keys?: number;
  pauseMs?: () => number;
  /** Gets how long each operation took. */
  times?: number[];
}

export type SimulatedGateway = ReturnType<typeof createSimulatedGateway>;

/** The real queue and limit in front of a simulated authentik, which serves first come, first served. */
export function createSimulatedGateway(workers: number) {
  const simulation = createSimulation();
  const limit = createGradientLimit(simulation);
  const queue = createRequestQueue({ limit, queueMax: 100_000 });
  const backlog: { serviceMs: number; done: () => void }[] = [];
  let busy = 0;
  let spentMs = 0;

  const serveNext = (): void => {
    while (busy < workers && backlog.length > 0) {
      const { serviceMs, done } = backlog.shift()!;
      busy += 1;
      simulation.after(serviceMs, () => {
        busy -= 1;
        done();
        serveNext();
      });
    }
  };

  const send = (callerKey: string, { serviceMs, kind }: Work, answered: () => void): void => {
    const start = (): void => {
      const sentAt = simulation.now();
      spentMs += serviceMs;
      const done = (): void => {
        queue.release({ latencyMs: simulation.now() - sentAt, kind });
        answered();
      };
      backlog.push({ serviceMs, done });
      serveNext();
    };
    queue.enter({ callerKey, start });
  };

  function addClient(client: SimulatedClient): void {
    const { callerKey = "caller", work, keys = 1, pauseMs = () => 0, times = [] } = client;
    const startedAt = simulation.now();
    let left = keys;
    const answered = (): void => {
      left -= 1;
      if (left > 0) return;
      times.push(simulation.now() - startedAt);
      simulation.after(pauseMs(), () => addClient(client));
    };
    for (let key = 0; key < keys; key += 1) send(callerKey, work(), answered);
  }

  return {
    simulation,
    queue,
    limit,
    send,
    addClient,
    /** Milliseconds of a worker spent so far. */
    spentMs: () => spentMs,
  };
}
