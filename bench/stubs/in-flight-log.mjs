/** How many requests were in flight for how long, and when: for "where does it settle". */
export function createInFlightLog() {
  let startedMs = 0;
  let lastMs = 0;
  let current = 0;
  let max = 0;
  /** Milliseconds spent at each number in flight, in buckets of one second since the start. @type {Map<number, number>[]} */
  let seconds = [];

  /** @param {number} inFlight @param {number} nowMs */
  function change(inFlight, nowMs) {
    if (startedMs === 0) startedMs = lastMs = nowMs;
    const second = Math.floor((nowMs - startedMs) / 1000);
    const bucket = (seconds[second] ??= new Map());
    bucket.set(current, (bucket.get(current) ?? 0) + nowMs - lastMs);
    lastMs = nowMs;
    current = inFlight;
    if (inFlight > max) max = inFlight;
  }

  function reset() {
    startedMs = lastMs = 0;
    max = current;
    seconds = [];
  }

  /** Time-weighted median for each second, oldest first; null for a second without a change. */
  function medians() {
    return Array.from(seconds, (bucket) => (bucket ? medianOf(bucket) : null));
  }

  return { change, reset, summary: () => ({ max, medianPerSecond: medians() }) };
}

/** @param {Map<number, number>} weights */
function medianOf(weights) {
  const sorted = [...weights].sort(([a], [b]) => a - b);
  const half = sorted.reduce((sum, [, ms]) => sum + ms, 0) / 2;
  let seen = 0;
  for (const [value, ms] of sorted) {
    seen += ms;
    if (seen >= half) return value;
  }
  return 0;
}
