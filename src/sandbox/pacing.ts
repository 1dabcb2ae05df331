import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits `latencyMs` before every response; with authentik's cost also as long as two workers take, who serve first
 * come, first served: a request that finds both busy waits for them too.
 * @param options.signal ends all waiting at once, without an error
 */
export function createPace(options: {
  latencyMs: number;
  authentikCost: boolean;
  signal: AbortSignal;
}): (costMs: number) => Promise<void> {
  const { latencyMs, authentikCost, signal } = options;
  const freeAt = [0, 0];
  const workMs = (costMs: number): number => {
    if (!authentikCost) return 0;
    const now = performance.now();
    const soonest = Math.min(...freeAt);
    const end = Math.max(now, soonest) + costMs;
    freeAt[freeAt.indexOf(soonest)] = end;
    return end - now;
  };
  return async (costMs) => {
    const ms = latencyMs + workMs(costMs);
    if (ms > 0) await delay(ms, undefined, { signal }).catch(() => {});
  };
}
