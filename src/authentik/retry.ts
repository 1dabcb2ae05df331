import type { AuthentikError } from "./authentik-error.ts";
import { isBrokenConnection } from "./network-errors.ts";

const SHORTEST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 250;

/** What one first call earns: in a long outage at most this share of calls is sent twice. */
const EARNED_PER_CALL = 0.15;
/** Retries that may be saved up in good times, however few requests are in flight at once. */
const SAVED_AT_LEAST = 10;

/**
 * Whether the same GET may be sent once more after this: after a connection that broke, or 500 without authentik's id as
 * a recycled worker leaves behind, 502, 503, 504, a proxy's 408 or 520 to 530, and while authentik starts. Never after an
 * answer of authentik's own.
 */
export function isWorthRetrying(error: AuthentikError): boolean {
  if (error.kind === "starting") return true;
  return error.kind === "unreachable" && (error.status !== undefined || isBrokenConnection(error));
}

/** Milliseconds to wait before the second attempt, spread so that many callers do not return at once. */
export function retryPauseMs(): number {
  return SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
}

export type RetryBudget = ReturnType<typeof createRetryBudget>;

/**
 * A budget of retries for one authentik: first calls earn it, retries spend it, so that an outage is not made worse.
 * @param options.inFlightAtMost that many are saved up: what is in flight at once may be lost at once
 */
export function createRetryBudget({ inFlightAtMost }: { inFlightAtMost: () => number }) {
  const savedAtMost = (): number => Math.max(SAVED_AT_LEAST, inFlightAtMost());
  let saved = savedAtMost();
  return {
    earn(): void {
      // What was saved stays while the limit on requests in flight is low for a moment.
      saved = Math.max(saved, Math.min(savedAtMost(), saved + EARNED_PER_CALL));
    },
    spend(): boolean {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}
