/** Whether calls go out: `open` refuses them, `half-open` lets one through to see. */
export type BreakerState = "closed" | "open" | "half-open";

/** Admission of one call, to be given back to `record`. `trial` is the single call that may close an open breaker. */
type Admission = "normal" | "trial";

/** What one call told. `neutral`: nothing about authentik, as it was given up by its caller, or made again. */
export type CallOutcome = "success" | "failure" | "neutral";

export type Breaker = ReturnType<typeof createBreaker>;

const SLOTS = 5;
const SLOT_MS = 1_000;
/** Fewer calls than this in five seconds are no statistics. */
const FEWEST_CALLS = 10;
const FAILING_SHARE = 0.5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;

/**
 * A circuit breaker for one authentik.
 *
 * Opens when at least half of at least ten calls in five seconds failed, for 1 s, then lets a single call try; each failed
 * try doubles the pause, up to 8 s.
 *
 * It is our own because those of the libraries wrap a function that returns a promise, which costs more promises and closures
 * on every call than counting into a slot does, and they cannot take back a call that told nothing.
 */
export function createBreaker(now: () => number) {
  const successes = new Float64Array(SLOTS);
  const failures = new Float64Array(SLOTS);
  let second = Math.floor(now() / SLOT_MS);
  let openUntil = 0;
  /** Length of the current pause; 0 while closed. */
  let pauseMs = 0;
  let trying = false;

  const currentSlot = (): number => {
    const current = Math.floor(now() / SLOT_MS);
    for (let stale = Math.max(second + 1, current - SLOTS + 1); stale <= current; stale += 1) {
      successes[stale % SLOTS] = 0;
      failures[stale % SLOTS] = 0;
    }
    second = current;
    return current % SLOTS;
  };

  const open = (): void => {
    pauseMs = Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    openUntil = now() + pauseMs;
    successes.fill(0);
    failures.fill(0);
  };

  /** How many milliseconds calls should stay away; 0: `admit` may be asked. Changes nothing. */
  const blockedMs = (): number => {
    if (pauseMs === 0) return 0;
    return trying ? FIRST_PAUSE_MS : Math.max(0, openUntil - now());
  };

  return {
    blockedMs,
    /** Admission of one call, or how many milliseconds to stay away. */
    admit(): Admission | number {
      if (pauseMs === 0) return "normal";
      const leftMs = blockedMs();
      if (leftMs > 0) return leftMs;
      trying = true;
      return "trial";
    },
    record(admission: Admission, outcome: CallOutcome): void {
      if (admission === "trial") {
        trying = false;
        if (outcome === "success") pauseMs = 0;
        else if (outcome === "failure") open();
        return;
      }
      // Calls that were out when it opened say nothing new.
      if (pauseMs > 0 || outcome === "neutral") return;
      const counts = outcome === "success" ? successes : failures;
      const slot = currentSlot();
      counts[slot] = (counts[slot] ?? 0) + 1;
      if (outcome === "success") return;
      const failed = failures.reduce((sum, count) => sum + count, 0);
      const all = failed + successes.reduce((sum, count) => sum + count, 0);
      if (all >= FEWEST_CALLS && failed >= all * FAILING_SHARE) open();
    },
    state(): BreakerState {
      if (pauseMs === 0) return "closed";
      return trying || now() >= openUntil ? "half-open" : "open";
    },
  };
}
