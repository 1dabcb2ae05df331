/** Decides when a worker that ended by itself is started again. */
export interface Restarts {
  /** Milliseconds to wait before this worker is started again: more each time, unless it had run for a while. */
  next: (worker: number) => number;
  /** How often that was asked. */
  count: () => number;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A worker that ran this long was well: its next failure is a new one. */
const WELL_AFTER_MS = 30_000;

/** Starts with no failures known. */
export function createRestarts(nowMs: () => number = () => performance.now()): Restarts {
  const failures = new Map<number, { inARow: number; atMs: number }>();
  let count = 0;
  return {
    next: (worker) => {
      count += 1;
      const before = failures.get(worker);
      const again = before !== undefined && nowMs() - before.atMs < WELL_AFTER_MS;
      const inARow = again ? before.inARow + 1 : 0;
      failures.set(worker, { inARow, atMs: nowMs() });
      return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** inARow);
    },
    count: () => count,
  };
}
