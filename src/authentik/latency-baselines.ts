/** How long a quiet authentik takes for answers of about a size. */
export interface Baselines {
  /** Notes the latency of a call that had authentik almost to itself. */
  noteQuiet(bytes: number, latencyMs: number): void;
  /** Notes the latency of any other call: the lowest stands in until a quiet one is known. */
  noteBusy(bytes: number, latencyMs: number): void;
  /** Milliseconds that an answer of this size should take, once one was noted. */
  expected(bytes: number): number;
}

/** The median of so many latest quiet calls counts: one slow or lucky answer says nothing. */
const REMEMBERED = 7;

interface Baseline {
  readonly quiet: number[];
  /** The same in order, put in order again in place: it is done for every quiet answer. */
  readonly sorted: number[];
  expected: number;
}

/**
 * Baselines by size of the answer, in powers of two: a list of 100 rows takes nine times as long as a retrieve and is
 * a hundred times as large, so each is compared with its like, whatever the routes are called and whatever rows cost.
 */
export function createBaselines(): Baselines {
  const bySize = new Map<number, Baseline>();

  const baselineOf = (bytes: number): Baseline => {
    const size = 32 - Math.clz32(bytes);
    let baseline = bySize.get(size);
    if (baseline === undefined) {
      baseline = { quiet: [], sorted: [], expected: Infinity };
      bySize.set(size, baseline);
    }
    return baseline;
  };

  return {
    noteQuiet(bytes, latencyMs) {
      const baseline = baselineOf(bytes);
      const { quiet, sorted } = baseline;
      quiet.push(latencyMs);
      if (quiet.length > REMEMBERED) quiet.shift();
      sorted.length = 0;
      for (const value of quiet) insert(sorted, value);
      baseline.expected = sorted[Math.floor((sorted.length - 1) / 2)] ?? latencyMs;
    },
    noteBusy(bytes, latencyMs) {
      const baseline = baselineOf(bytes);
      if (baseline.quiet.length === 0) baseline.expected = Math.min(baseline.expected, latencyMs);
    },
    expected: (bytes) => baselineOf(bytes).expected,
  };
}

/** Puts a value into an ascending list, where it belongs. */
function insert(sorted: number[], value: number): void {
  let index = sorted.length;
  for (; index > 0 && (sorted[index - 1] ?? 0) > value; index -= 1) sorted[index] = sorted[index - 1] ?? 0;
  sorted[index] = value;
}
