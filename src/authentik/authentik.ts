import { performance } from "node:perf_hooks";
import { request } from "undici";
import { createAdaptiveLimit } from "./adaptive-limit.ts";
import { createAnswerCache } from "./answer-cache.ts";
import { createBreaker } from "./breaker.ts";
import type { Line } from "./call.ts";
import { createCallerClient, type ClientParts } from "./caller-client.ts";
import { createCallerKeys } from "./caller-key.ts";
import type { Authentik, AuthentikOptions } from "./client.ts";
import { createFixedLimit } from "./concurrency-limit.ts";
import { createFairQueue } from "./fair-queue.ts";
import { createOwnTurnMeter } from "./own-turn.ts";
import { probeApi } from "./probe.ts";
import { createRetryBudget } from "./retry.ts";
import { createRowCost } from "./row-cost.ts";
import { createSingleFlight } from "./single-flight.ts";
import { createTurnBatch } from "../turn-batch.ts";
import { createTransport } from "./transport.ts";

/** What the probe says instead of an operation's id. */
const PROBE_ID = "readiness-probe";

const now = (): number => performance.now();

function after(delayMs: number, action: () => void): void {
  setTimeout(action, delayMs).unref();
}

/** The REST API of one authentik server, for all operations of this process: one pool, one queue, one breaker. */
export function createAuthentik(options: AuthentikOptions): Authentik {
  const { concurrency } = options;
  const limit =
    concurrency === "auto"
      ? createAdaptiveLimit({ now, ownTurnMs: createOwnTurnMeter() })
      : createFixedLimit(concurrency);
  const transport = createTransport({
    url: options.url,
    userAgent: options.userAgent,
    caPem: options.caPem,
    connectTimeoutMs: options.connectTimeoutMs,
    maxResponseBytes: options.maxResponseBytes,
  });
  const line: Line = {
    transport,
    queue: createFairQueue({ limit, queueMax: options.queueMax, now, after }),
    breaker: createBreaker(now),
    retries: options.retry ? createRetryBudget() : null,
    rowCost: createRowCost(),
    answered: createTurnBatch((settle) => settle()),
    now,
  };
  const keyOf = createCallerKeys();
  const authentik: Authentik = {
    list: options.list,
    rowCost: () => line.rowCost.current(),
    identify: (authorization) => ({ authorization, key: keyOf(authorization) }),
    forCaller: (caller) => createCallerClient(parts, caller),
    probe: ({ timeoutMs }) => probeApi(transport, { timeoutMs, requestId: PROBE_ID, url: options.url }),
    state: () => ({
      inFlight: line.queue.inFlight(),
      queued: line.queue.queued(),
      limit: limit.places(),
      breaker: line.breaker.state(),
    }),
    close() {
      transport.close();
      return Promise.resolve();
    },
  };
  const parts: ClientParts = {
    upstream: authentik,
    line,
    flights: createSingleFlight(),
    cache: options.cacheTtlMs > 0 ? createAnswerCache(options) : null,
    coalesce: options.coalesce,
    async sendDelete(path, headers) {
      const url = `${options.url.origin}${options.url.pathname.replace(/\/+$/, "")}/api/v3${path}`;
      const { statusCode, headers: received, body } = await request(url, { method: "DELETE", headers });
      const text = await body.text();
      return {
        status: statusCode,
        contentType: String(received["content-type"] ?? ""),
        body: text,
        bytes: text.length,
        retryAfter: "",
        upstreamRequestId: "",
      };
    },
  };
  return authentik;
}
