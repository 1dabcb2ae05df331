/** How long a quiet authentik takes for answers of about a size. */
export interface Baselines {
  /** Notes the latency of a call that had authentik almost to itself. */
  quiet(bytes: number, latencyMs: number, time: number): void;
  /** Milliseconds that an answer of this size should take; null when nothing is known about its size. */
  expected(bytes: number): number | null;
}

/** The median of so many latest quiet calls counts: one slow or lucky answer says nothing. */
const REMEMBERED = 7;

interface Baseline {
  latest: number[];
  median: number;
}

/**
 * Baselines by size of the answer, in powers of two: a list of 100 rows takes nine times as long as a retrieve and is
 * a hundred times as large, so each is compared with its like, whatever the routes are called and whatever rows cost.
 */
export function createBaselines(): Baselines {
  const bySize = new Map<number, Baseline>();
  return {
    quiet(bytes, latencyMs) {
      const size = 32 - Math.clz32(bytes);
      let baseline = bySize.get(size);
      if (baseline === undefined) {
        baseline = { latest: [], median: latencyMs };
        bySize.set(size, baseline);
      }
      baseline.latest.push(latencyMs);
      if (baseline.latest.length > REMEMBERED) baseline.latest.shift();
      const sorted = baseline.latest.toSorted((a, b) => a - b);
      baseline.median = sorted[Math.floor((sorted.length - 1) / 2)] ?? latencyMs;
    },
    expected: (bytes) => bySize.get(32 - Math.clz32(bytes))?.median ?? null,
  };
}
