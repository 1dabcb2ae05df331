/** Identical work in flight, done once for everyone who waits for it. Holds nothing when nothing is in flight. */
export interface Coalescer<Result> {
  /** Whether `run` would join work that is in flight. */
  has(key: string): boolean;
  /**
   * The result of the work under `key`, started unless it is in flight already. The key must hold the caller and
   * everything else that the result depends on; with an empty key nobody else joins.
   *
   * Whoever waits leaves when its own signal is aborted, with that reason. The last one to leave aborts the work, whose
   * own rejection it then gets: that may know better why there is no result.
   */
  run(
    key: string,
    work: { signal: AbortSignal; start: (controller: AbortController) => Promise<Result> },
  ): Promise<Result>;
}

interface InFlight<Result> {
  readonly result: Promise<Result>;
  waiting: number;
  readonly startedMs: number;
  readonly controller: AbortController;
}

/**
 * Creates one; keys of different coalescers have nothing to do with each other.
 * @param options.joinWithinMs nobody joins work that is older: for work with a deadline, whose end would not be its own
 */
export function createCoalescer<Result>({ joinWithinMs = Number.POSITIVE_INFINITY } = {}): Coalescer<Result> {
  const inFlight = new Map<string, InFlight<Result>>();

  function find(key: string): InFlight<Result> | undefined {
    const work = inFlight.get(key);
    return work && performance.now() - work.startedMs < joinWithinMs ? work : undefined;
  }

  function begin(key: string, start: (controller: AbortController) => Promise<Result>): InFlight<Result> {
    const controller = new AbortController();
    const work = { result: start(controller), waiting: 0, startedMs: performance.now(), controller };
    if (key === "") return work;
    inFlight.set(key, work);
    const end = (): void => forget(key, work);
    work.result.then(end, end);
    return work;
  }

  function forget(key: string, work: InFlight<Result>): void {
    if (inFlight.get(key) === work) inFlight.delete(key);
  }

  return {
    has: (key) => find(key) !== undefined,
    run(key, { signal, start }) {
      const work = find(key) ?? begin(key, start);
      work.waiting += 1;
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          work.waiting -= 1;
          if (work.waiting > 0) reject(signal.reason);
          else {
            forget(key, work);
            work.controller.abort(signal.reason);
          }
        };
        signal.addEventListener("abort", leave, { once: true });
        const stay = (): void => signal.removeEventListener("abort", leave);
        work.result.then(stay, stay);
        work.result.then(resolve, reject);
      });
    },
  };
}
