/** Clients that each wait for an answer before they ask again, and askers who do not wait, for upstreams that take their time. */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

/** @typedef {{ authorization: string, body: string, headers?: Record<string, string> }} Question */

/**
 * @param {string} url
 * @param {{ connections?: number }} [options]
 */
export function createClient(url, { connections = 1 } = {}) {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, { connections, headersTimeout: 120_000, bodyTimeout: 120_000 });
  return {
    /** @param {Question} question @returns {Promise<{ status: number, json: any, failed: boolean, tookMs: number }>} */
    async post({ authorization, body, headers }) {
      const id = randomBytes(16).toString("hex");
      const askedMs = performance.now();
      const answer = await pool.request({
        method: "POST",
        path: pathname + search,
        headers: {
          authorization,
          "content-type": "application/json",
          "x-request-id": id,
          traceparent: `00-${id}-${id.slice(16)}-01`,
          ...headers,
        },
        body,
      });
      const json = await answer.body.json();
      const failed = answer.statusCode !== 200 || json.errors !== undefined;
      return { status: answer.statusCode, json, failed, tookMs: performance.now() - askedMs };
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

/** @param {readonly number[]} values */
export const median = (values) => quantile(values, 0.5);

/** @param {readonly number[]} latenciesMs @param {{ seconds: number, failed: number }} how */
function figures(latenciesMs, { seconds, failed }) {
  return {
    operations: latenciesMs.length,
    seconds,
    perSecond: latenciesMs.length / seconds,
    p50Ms: median(latenciesMs),
    p95Ms: quantile(latenciesMs, 0.95),
    p99Ms: quantile(latenciesMs, 0.99),
    failed,
  };
}

/**
 * Operations asked in `seconds` or, without it, `operations` by each client; counted until the last one is answered.
 * @param {string} url
 * @param {{ clients: number, seconds?: number, operations?: number, ask: (turn: number, client: number) => Question,
 *   pauseMs?: () => number, signal?: AbortSignal }} options `pauseMs`: how long a client rests after an answer; `signal`:
 *   no more are asked
 */
export async function clientLoad(url, { clients, seconds, operations = Infinity, ask, pauseMs, signal }) {
  const startMs = performance.now();
  const endMs = seconds === undefined ? Infinity : startMs + seconds * 1000;
  const latenciesMs = [];
  const over = () => performance.now() >= endMs || signal?.aborted === true;
  let turn = 0;
  let failed = 0;
  await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const client = createClient(url);
      for (let asked = 0; asked < operations && !over(); asked++) {
        const answer = await client.post(ask(turn++, index));
        if (answer.failed) failed++;
        latenciesMs.push(answer.tookMs);
        if (pauseMs) await sleep(pauseMs());
      }
      await client.close();
    }),
  );
  return figures(latenciesMs, { seconds: (performance.now() - startMs) / 1000, failed });
}

/**
 * The same until it is told to stop; resolves once the last one is answered.
 * @param {string} url
 * @param {Parameters<typeof clientLoad>[1]} options
 */
export function endlessLoad(url, options) {
  const stopping = new AbortController();
  const load = clientLoad(url, { ...options, signal: stopping.signal });
  return {
    stop() {
      stopping.abort();
      return load;
    },
  };
}

/**
 * Asks so many times a second, whatever the answers take, until stopped.
 * @param {string} url
 * @param {{ perSecond: number, ask: (turn: number) => Question }} options
 */
export function steadyLoad(url, { perSecond, ask }) {
  const client = createClient(url, { connections: 256 });
  const startMs = performance.now();
  const latenciesMs = [];
  const pending = new Set();
  let turn = 0;
  let failed = 0;
  const one = async () => {
    const answer = await client.post(ask(turn++)).catch(() => ({ failed: true, tookMs: Number.NaN }));
    if (answer.failed) failed++;
    latenciesMs.push(answer.tookMs);
  };
  const timer = setInterval(() => {
    const asking = one().finally(() => pending.delete(asking));
    pending.add(asking);
  }, 1000 / perSecond);
  return {
    async stop() {
      clearInterval(timer);
      const seconds = (performance.now() - startMs) / 1000;
      await Promise.all(pending);
      await client.close();
      return figures(latenciesMs, { seconds, failed });
    },
  };
}
