import { performance } from "node:perf_hooks";
import { createAdaptiveLimit } from "./adaptive-limit.ts";
import { createAnswerCache } from "./answer-cache.ts";
import { createBreaker } from "./breaker.ts";
import { startCall, type Line } from "./call.ts";
import { createCallerKeys } from "./caller-key.ts";
import type { Authentik, AuthentikClient, AuthentikOptions, Caller, RestGet, Usage } from "./client.ts";
import { createFixedLimit } from "./concurrency-limit.ts";
import { AuthentikError } from "./errors.ts";
import { createFairQueue } from "./fair-queue.ts";
import { createOwnTurnMeter } from "./own-turn.ts";
import { probeApi } from "./probe.ts";
import { createRetryBudget } from "./retry.ts";
import { createSingleFlight, newFlight, type Flight, type Waiter } from "./single-flight.ts";
import { createTransport } from "./transport.ts";

/** More than the largest adaptive limit, since undici rests a socket for one turn of the event loop between two calls. */
const MOST_CONNECTIONS = 512;

const now = (): number => performance.now();

/**
 * The REST API of one authentik server, for all operations of this process: one pool of connections, one queue, one breaker.
 */
export function createAuthentik(options: AuthentikOptions): Authentik {
  const limit =
    options.concurrency === "auto"
      ? createAdaptiveLimit({ now, ownTurnMs: createOwnTurnMeter() })
      : createFixedLimit(options.concurrency);
  const transport = createTransport({
    ...options,
    connections: options.concurrency === "auto" ? MOST_CONNECTIONS : options.concurrency * 2,
  });
  const line: Line = {
    transport,
    queue: createFairQueue({ limit, queueMax: options.queueMax, now }),
    breaker: createBreaker(now),
    retries: options.retry ? createRetryBudget() : null,
    now,
  };
  const flights = createSingleFlight();
  const cache = options.cacheTtlMs > 0 ? createAnswerCache(options) : null;
  const keyOf = createCallerKeys();
  const fixedHeaders = [
    "Accept",
    "application/json",
    "Accept-Language",
    "en",
    "User-Agent",
    options.userAgent,
    "X-Request-Id",
  ];

  const forCaller = (caller: Caller): AuthentikClient => {
    const { signal } = caller;
    const callerKey = keyOf(caller.authorization);
    const usage: Usage = {
      restCalls: 0,
      sharedCalls: 0,
      retries: 0,
      queuedMs: 0,
      rowsListed: 0,
      keysRequested: 0,
      keysFetched: 0,
    };
    const headers = [...fixedHeaders, caller.requestId, "Authorization", caller.authorization];
    let callsLeft = caller.maxRestCalls;
    const takeCall = (): boolean => {
      if (callsLeft <= 0) return false;
      callsLeft -= 1;
      return true;
    };

    /** What this operation waits for; while it waits for anything, it listens to its signal, with one listener. */
    const awaited = new Map<Waiter, () => void>();
    const leaveAll = (): void => {
      const reason = reasonOf(signal);
      for (const [waiter, leave] of awaited) {
        leave();
        waiter.reject(reason);
      }
    };
    const forget = (waiter: Waiter): void => {
      if (awaited.delete(waiter) && awaited.size === 0) signal.removeEventListener("abort", leaveAll);
    };

    const join = (key: string, flight: Flight): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const waiter: Waiter = {
          resolve(value) {
            forget(waiter);
            resolve(value);
          },
          reject(error) {
            forget(waiter);
            reject(error);
          },
        };
        flight.waiters.add(waiter);
        if (awaited.size === 0) signal.addEventListener("abort", leaveAll);
        awaited.set(waiter, () => flights.leave(key, flight, waiter, reasonOf(signal)));
      });

    const get = (request: RestGet): Promise<unknown> => {
      if (signal.aborted) return Promise.reject(reasonOf(signal));
      const key = callerKey + request.path;
      const cached = cache?.get(key);
      if (cached !== undefined) {
        usage.sharedCalls += 1;
        return Promise.resolve(cached.value);
      }
      const known = options.coalesce ? flights.find(key) : undefined;
      if (known !== undefined) {
        usage.sharedCalls += 1;
        return join(key, known);
      }
      if (!takeCall()) {
        return Promise.reject(
          new AuthentikError("too-many-calls", "the operation has used up its REST calls", {
            route: request.route,
          }),
        );
      }
      const flight = options.coalesce ? flights.open(key) : newFlight();
      const result = join(key, flight);
      flight.cancel = startCall(
        line,
        { request, headers, callerKey, usage, takeCall },
        {
          answered(value, bytes) {
            cache?.set(key, value, bytes);
            flights.land(key, flight, (waiter) => waiter.resolve(value));
          },
          failed(error) {
            flights.land(key, flight, (waiter) => waiter.reject(error));
          },
        },
      );
      return result;
    };

    return { callerKey, upstream: authentik, usage, get };
  };

  const authentik: Authentik = {
    list: options.list,
    rowCost: () => 0.08,
    forCaller,
    probe: ({ timeoutMs }) =>
      probeApi(transport, [...fixedHeaders, "readiness-probe"], { timeoutMs, url: options.url }),
    state: () => ({
      inFlight: line.queue.inFlight(),
      queued: line.queue.queued(),
      limit: limit.places(),
      breaker: line.breaker.state(),
    }),
    close: () => transport.close(),
  };
  return authentik;
}

function reasonOf(signal: AbortSignal): AuthentikError {
  const reason: unknown = signal.reason;
  if (reason instanceof AuthentikError) return reason;
  return new AuthentikError("cancelled", "the operation was aborted", { cause: reason });
}
