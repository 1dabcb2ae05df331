import { setTimeout as delay } from "node:timers/promises";

/** How long the sandbox takes for an answer, as it was configured. */
export interface Pacing {
  /** Milliseconds before every answer. */
  latencyMs: number;
  /** Whether each answer also costs what it costs a small authentik. */
  authentikCost: boolean;
}

/** Medians of real servers on two quiet cores, in milliseconds. */
const cost = { retrieveMs: 33, listMs: 30, listRowMs: 2.6, workers: 2 } as const;

/**
 * Waits as long as an answer takes. With authentik's cost two workers serve what comes, first come, first served: a
 * request that finds both busy waits for them too.
 * @param signal ends all waiting at once, without an error
 */
export function createPace(
  { latencyMs, authentikCost }: Pacing,
  { signal }: { signal: AbortSignal },
): (rows: number | undefined) => Promise<void> {
  const freeAt = Array.from({ length: cost.workers }, () => 0);
  const workMs = (rows: number | undefined): number => {
    if (!authentikCost) return 0;
    const now = performance.now();
    const soonest = Math.min(...freeAt);
    const end =
      Math.max(now, soonest) + (rows === undefined ? cost.retrieveMs : cost.listMs + cost.listRowMs * rows);
    freeAt[freeAt.indexOf(soonest)] = end;
    return end - now;
  };
  return async (rows) => {
    const ms = latencyMs + workMs(rows);
    if (ms > 0) await delay(ms, undefined, { signal }).catch(() => {});
  };
}
