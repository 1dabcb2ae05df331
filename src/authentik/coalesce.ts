import type { AuthentikError } from "./authentik-error.ts";

/** Work that is under way, until it is over or given up. */
export interface Abortable<Result> {
  readonly result: Promise<Result>;
  /** Gives it up: the result is a rejection, with this reason unless the work knows better why there is none. */
  readonly abort: (reason: AuthentikError) => void;
}

interface Waiter<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

interface InFlight<Result> {
  readonly abort: Abortable<Result>["abort"];
  readonly startedMs: number;
  readonly waiters: Waiter<Result>[];
}

/**
 * Where work in flight is found. Emptied when it is over: a table that V8's Map has outgrown goes on holding what it held
 * then until the old generation is collected, and a good part of all operations would grow that old with it.
 */
interface Slot<Result> {
  work: InFlight<Result> | null;
}

/**
 * Identical work in flight, done once for everyone who waits for it. Holds nothing when nothing is in flight. Keys of
 * different coalescers have nothing to do with each other.
 * @param options.joinWithinMs nobody joins work that is older: for work with a deadline, whose end would not be its own
 */
export function createCoalescer<Result>({ joinWithinMs = Number.POSITIVE_INFINITY } = {}) {
  const slots = new Map<string, Slot<Result>>();

  function find(key: string): InFlight<Result> | null {
    const work = slots.get(key)?.work ?? null;
    return work && performance.now() - work.startedMs < joinWithinMs ? work : null;
  }

  function begin(key: string, start: () => Abortable<Result>): InFlight<Result> {
    const { result, abort } = start();
    const work: InFlight<Result> = { abort, startedMs: performance.now(), waiters: [] };
    if (key !== "") slots.set(key, { work });
    void settle(key, work, result);
    return work;
  }

  async function settle(key: string, work: InFlight<Result>, running: Promise<Result>): Promise<void> {
    try {
      const result = await running;
      for (const { resolve } of end(key, work)) resolve(result);
    } catch (reason) {
      for (const { reject } of end(key, work)) reject(reason);
    }
  }

  /** Nobody joins any more. @returns who waited */
  function end(key: string, work: InFlight<Result>): Waiter<Result>[] {
    forget(key, work);
    return work.waiters.splice(0);
  }

  function forget(key: string, work: InFlight<Result>): void {
    const slot = slots.get(key);
    if (slot?.work !== work) return;
    slot.work = null;
    slots.delete(key);
  }

  return {
    /** Whether work is in flight that `join` would wait for. */
    has: (key: string): boolean => find(key) !== null,
    /**
     * Waits for the work under `key`, which is started unless it is in flight already. The key must hold the caller and
     * everything else that the result depends on; with an empty key nobody else joins. Who gives up stops waiting; the
     * last one to do so gives up the work.
     */
    join(key: string, start: () => Abortable<Result>): Abortable<Result> {
      const work = find(key) ?? begin(key, start);
      let waiter: Waiter<Result>;
      const result = new Promise<Result>((resolve, reject) => {
        waiter = { resolve, reject };
        work.waiters.push(waiter);
      });
      return {
        result,
        abort(reason) {
          const index = work.waiters.indexOf(waiter);
          if (index === -1) return;
          if (work.waiters.length > 1) {
            work.waiters.splice(index, 1);
            waiter.reject(reason);
          } else {
            forget(key, work);
            work.abort(reason);
          }
        },
      };
    },
  };
}
