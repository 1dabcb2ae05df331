/** A few clients that each wait for an answer before they ask again: for upstreams that take their time. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

/**
 * @param {string} url
 * @param {string} token
 * @param {{ connections?: number }} [options]
 */
export function createClient(url, token, { connections = 1 } = {}) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, headersTimeout: 120_000, bodyTimeout: 120_000 });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return {
    /** @param {string} body @returns {Promise<{ status: number, json: any }>} */
    async post(body) {
      const answer = await pool.request({ method: "POST", path: pathname, headers, body });
      return { status: answer.statusCode, json: await answer.body.json() };
    },
    close: () => pool.destroy(),
  };
}

/**
 * @param {readonly number[]} values
 * @param {number} share 0.5 for the median
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : Number.NaN;
}

/**
 * Operations answered in `seconds`, and in the time until the last one begun is answered.
 * @param {string} url
 * @param {{ token: (client: number) => string, clients: number, seconds: number, body: (turn: number) => string, pauseMs?: () => number }} options
 *   `pauseMs`: how long a client rests after an answer
 */
export async function clientLoad(url, { token, clients, seconds, body, pauseMs }) {
  const callers = Array.from({ length: clients }, (_, index) => createClient(url, token(index)));
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const latenciesMs = [];
  let turn = 0;
  let failed = 0;
  await Promise.all(
    callers.map(async (client) => {
      while (performance.now() < endMs) {
        const askedMs = performance.now();
        const { status, json } = await client.post(body(turn++));
        if (status !== 200 || json.errors) failed++;
        latenciesMs.push(performance.now() - askedMs);
        if (pauseMs) await sleep(pauseMs());
      }
    }),
  );
  const took = (performance.now() - startMs) / 1000;
  await Promise.all(callers.map((client) => client.close()));
  return {
    operations: latenciesMs.length,
    seconds: took,
    perSecond: latenciesMs.length / took,
    p50Ms: quantile(latenciesMs, 0.5),
    p95Ms: quantile(latenciesMs, 0.95),
    p99Ms: quantile(latenciesMs, 0.99),
    failed,
  };
}
