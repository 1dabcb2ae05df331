import { performance } from "node:perf_hooks";

/**
 * Workers that serve jobs in the order of arrival, in real time.
 * Starts and ends are reckoned exactly; only the moment an answer leaves is as coarse as the event loop.
 * @param {{ workers: number, onChange: (inFlight: number, atMs: number) => void }} options `workers` 0: unlimited
 */
export function createWorkerQueue({ workers, onChange }) {
  const freeAtMs = Array.from({ length: workers }, () => 0);
  let inFlight = 0;

  /**
   * @param {number} costMs
   * @param {() => void} done called once a worker has spent `costMs` on it
   */
  function submit(costMs, done) {
    const nowMs = performance.now();
    let endMs = nowMs + costMs;
    if (workers > 0) {
      const earliest = freeAtMs.indexOf(Math.min(...freeAtMs));
      endMs = Math.max(nowMs, freeAtMs[earliest]) + costMs;
      freeAtMs[earliest] = endMs;
    }
    onChange(++inFlight, nowMs);
    finishAt(endMs, () => {
      onChange(--inFlight, performance.now());
      done();
    });
  }

  return { submit, inFlight: () => inFlight };
}

/**
 * setTimeout is up to 1 ms early or late; what is late for one job is not added to the next.
 * @param {number} endMs
 * @param {() => void} done
 */
function finishAt(endMs, done) {
  const waitMs = endMs - performance.now();
  if (waitMs <= 0) done();
  else setTimeout(done, waitMs);
}
