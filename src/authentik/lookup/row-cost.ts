import { median } from "../scheduler/concurrency-limit.ts";

export type RowCost = ReturnType<typeof createRowCost>;

/** Measured on real servers of two releases: 2.6 ms a row, 33 ms a retrieve. */
const USUAL = 0.08;
const LEAST = 0.02;
const MOST = 0.25;
/** Lists of fewer rows measure the base rather than the rows. */
const FEWEST_ROWS = 20;
/** Shorter latencies are mostly network and event loop. */
const SHORTEST_MS = 5;
/** Medians of so many latest responses count. */
const REMEMBERED = 7;
const FEWEST_RESPONSES = 3;

/**
 * What a row of a list costs authentik, in retrieves, as its latencies tell: a list costs about one retrieve plus its
 * rows, so a row costs what is beyond one retrieve, by rows.
 */
export function createRowCost() {
  const retrieves: number[] = [];
  const rowsMs: number[] = [];
  let latest = USUAL;

  /** What a retrieve takes; null while that is not known or too little to compare with. */
  const retrieveMs = (): number | null => {
    if (retrieves.length < FEWEST_RESPONSES) return null;
    const ms = median(retrieves);
    return ms < SHORTEST_MS ? null : ms;
  };

  return {
    /** Notes a response that authentik gave with at most one other call in flight; `rows` is null for a retrieve. */
    note(rows: number | null, latencyMs: number): void {
      if (rows === null) remember(retrieves, latencyMs);
      else if (rows >= FEWEST_ROWS) {
        const baseMs = retrieveMs();
        if (baseMs !== null) remember(rowsMs, Math.max(0, latencyMs - baseMs) / rows);
      }
    },
    /** Worked out anew each time: responses are noted far more often. */
    current(): number {
      const baseMs = retrieveMs();
      if (baseMs !== null && rowsMs.length >= FEWEST_RESPONSES) {
        latest = Math.min(MOST, Math.max(LEAST, median(rowsMs) / baseMs));
      }
      return latest;
    },
  };
}

function remember(values: number[], value: number): void {
  values.push(value);
  if (values.length > REMEMBERED) values.shift();
}
