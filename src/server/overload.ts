import type { HttpError } from "./graphql-response.ts";

/** When new operations are turned away. */
export interface OverloadOptions {
  maxOperationsInFlight: number;
  /** How late the event loop may run a timer, in milliseconds, before that counts as strain. Default 500. */
  maxLoopDelayMs?: number;
  /** How long one measurement lasts, in milliseconds; strain in two in a row sheds. Default 1,000. */
  windowMs?: number;
  /** Milliseconds of a clock; asked once in each turn. Default `performance.now`. */
  now?: () => number;
}

const TICK_MS = 20;

const REFUSAL: HttpError = {
  status: 503,
  code: "OVERLOADED",
  message: "Too much is being answered right now. Try again in a second.",
  headers: ["Retry-After", "1"],
};

/**
 * Decides for each new operation whether there is room for it.
 *
 * Sheds late: measured against clients that retry at once, refusing early answers fewer operations than queueing
 * them does. So the bound on operations in flight is high, and one long pause of the event loop is no overload.
 */
export function createOverloadGuard({
  maxOperationsInFlight,
  maxLoopDelayMs = 500,
  windowMs = 1_000,
  now: clock = () => performance.now(),
}: OverloadOptions) {
  let strained = false;
  let previousWorstMs = 0;
  let worstMs = 0;
  let tickedAt = clock();
  let windowEndsAt = tickedAt + windowMs;
  // An own timer, since node:perf_hooks' histogram has no samples when every turn of the loop outlasts a window.
  const timer = setInterval(() => {
    const now = clock();
    worstMs = Math.max(worstMs, now - tickedAt - TICK_MS);
    tickedAt = now;
    if (now < windowEndsAt) return;
    strained = Math.min(previousWorstMs, worstMs) > maxLoopDelayMs;
    previousWorstMs = worstMs;
    worstMs = 0;
    windowEndsAt = now + windowMs;
  }, TICK_MS);
  timer.unref();
  return {
    /** A 503 with `Retry-After: 1`, or null when there is room. */
    refuse: (operationsInFlight: number): HttpError | null =>
      operationsInFlight >= maxOperationsInFlight || strained ? REFUSAL : null,
    close: () => clearInterval(timer),
  };
}
