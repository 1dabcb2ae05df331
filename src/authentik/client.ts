import { LRUCache } from "lru-cache";
import { createBreaker } from "./breaker.ts";
import { type CallerIdentity, createCallerKeys } from "./caller.ts";
import { createCoalescer, type Share } from "./coalesce.ts";
import { AuthentikError, type AuthentikErrorKind } from "./authentik-error.ts";
import { createHttpClient, type HttpOptions } from "./http.ts";
import { type Probe, probeApi } from "./probe.ts";
import { createSender, type SendingOperation, type UpstreamSpan } from "./request.ts";
import { createRetryBudget } from "./retry.ts";
import { createRowCost } from "./lookup/row-cost.ts";
import { createFixedLimit, createGradientLimit } from "./scheduler/concurrency-limit.ts";
import { createRequestQueue } from "./scheduler/queue.ts";

export type { CallerIdentity } from "./caller.ts";

/** How to reach one authentik server and how much work to give it. Durations in milliseconds, sizes in bytes. */
export interface AuthentikOptions extends HttpOptions {
  /** Requests in flight at once: `auto` finds the number between 2 and 256. */
  concurrency: "auto" | number;
  /** Requests that may wait for a permit; the next one is refused at once. */
  queueMax: number;
  /** Whether identical GETs of one caller in flight at once share one request. */
  coalesce: boolean;
  /** How long a response may be reused for the same caller; 0 switches the cache off. */
  cacheTtlMs: number;
  cacheMaxBytes: number;
  /** Whether several keys may be picked from a list instead of retrieved one by one. */
  list: boolean;
  /** Whether a GET is sent once more after a reset, 502, 503, 504 or "starting". */
  retry: boolean;
  /** `Authorization` of the gateway's own in service mode: when authentik refuses it, that is not the caller's fault. */
  serviceAuthorization?: () => string;
  /** Told of every request that ended, for metrics. */
  onUpstreamRequest?: (observation: UpstreamObservation) => void;
}

/** One request to authentik, finished. */
export interface UpstreamObservation {
  /** As a template, never with ids: every route is a time series. */
  route: string;
  outcome: AuthentikErrorKind | "ok";
  /** From the first byte sent to the last one received. */
  durationMs: number;
  /** Of the operation that it was sent for, if that is traced. */
  traceId?: string | undefined;
}

/** One caller's operation: whose credential is used, and until when. */
export interface Caller {
  identity: CallerIdentity;
  /** Sent as `X-Request-Id`, so that both logs can be joined. */
  requestId: string;
  /** Aborted when the time budget ends or the client leaves; its reason is an `AuthentikError` of that kind. */
  signal: AbortSignal;
  /** Requests that this operation may cause. */
  maxRestCalls: number;
  /** Begins a span of the operation's trace; absent where nothing is traced. */
  startSpan?: ((request: { method: string; route: string }) => UpstreamSpan) | undefined;
  traceId?: string | undefined;
}

/** A request below `/api/v3`. */
export interface UpstreamRequest {
  /** Route as a template, for logs and metrics: `/sources/user_connections/plex/{id}/`. */
  route: string;
  /** Path and query to send: `/sources/user_connections/plex/5/`. Canonical; nothing in it that was not checked. */
  path: string;
  /** Rows that a list is expected to answer with; absent for a retrieve. */
  rows?: number;
}

/** What one operation cost so far. Mutable, read when the operation is logged. */
export interface Usage {
  /** Requests sent to authentik on behalf of this operation, retries included. */
  restCalls: number;
  /** Requests that another operation in flight, or the cache, answered. */
  sharedCalls: number;
  retries: number;
  /** Milliseconds that requests of this operation waited for a permit, added up. */
  queuedMs: number;
  /** Rows read from lists; counted by the loaders. */
  rowsListed: number;
  /** Keys that loaders were asked for and keys they had to fetch; counted by the loaders. */
  keysRequested: number;
  keysFetched: number;
}

/** The REST API as one caller sees it, for one operation. */
export interface AuthentikClient {
  /** {@link CallerIdentity.key} */
  readonly callerKey: string;
  /** Identity of the server behind this client, to hang process-wide knowledge on. */
  readonly upstream: Authentik;
  readonly usage: Usage;
  /**
   * What `perRequest` keeps for the operation. Not a WeakMap by client: in a table that is old, V8 takes young values
   * for alive, so that everything that an operation made would grow old as well.
   */
  readonly memory: Map<unknown, unknown>;
  /**
   * The parsed JSON of a 200 response. It must not be changed: others may read the same object.
   * @throws {AuthentikError} for everything else
   */
  get(request: UpstreamRequest): Promise<unknown>;
  /**
   * Deletes what the path names. Sent once, whatever happens, and never coalesced; afterwards nothing of this caller
   * that is cached or in flight is reused.
   * @throws {AuthentikError}
   */
  delete(request: UpstreamRequest): Promise<void>;
}

/** A snapshot for readiness, logs and metrics. */
export interface AuthentikState {
  inFlight: number;
  queued: number;
  limit: number;
  breaker: "closed" | "open" | "half-open";
}

/** One authentik server, shared by all operations of this process. */
export interface Authentik {
  /** As in the options: whether several keys may be picked from a list. */
  readonly list: boolean;
  /** What one more row in a list costs authentik, in retrieves, as measured lately. */
  rowCost(): number;
  /** Who calls, by a whole `Authorization` value that was checked for form. */
  identify(authorization: string): CallerIdentity;
  /** What a caller's reads in flight may be shared under: another key after each of its writes. */
  shareKey(identity: CallerIdentity): string;
  forCaller(caller: Caller): AuthentikClient;
  /** Asks the API whether it is an authentik, and in service mode whether it takes the token. Never throws. */
  probe(options: { timeoutMs: number }): Promise<Probe>;
  state(): AuthentikState;
  /** Ends every connection; requests in flight fail. */
  close(): Promise<void>;
}

/** Callers of whom something is remembered. Forgetting costs a place in the queue, or one request, at most. */
const REMEMBERED_CALLERS = 10_000;

/** What a parsed response needs in memory, in multiples of its JSON text, and what an entry needs besides. */
const MEMORY_PER_BYTE = 4;
const ENTRY_BYTES = 500;

const now = (): number => performance.now();

/** The REST API of one authentik server: cache, then coalesce, then queue, breaker, retry, then HTTP. */
export function createAuthentik(options: AuthentikOptions): Authentik {
  const { concurrency, coalesce, cacheTtlMs, serviceAuthorization } = options;
  const limit = concurrency === "auto" ? createGradientLimit({ now }) : createFixedLimit(concurrency);
  const http = createHttpClient(options);
  const queue = createRequestQueue({ limit, queueMax: options.queueMax });
  const breaker = createBreaker(now);
  const rowCost = createRowCost();
  const accepted = new LRUCache<string, true>({ max: REMEMBERED_CALLERS });
  const send = createSender({
    http,
    queue,
    breaker,
    rowCost,
    accepted,
    retries: options.retry ? createRetryBudget({ inFlightAtMost: () => limit.permits() }) : null,
    serviceMode: serviceAuthorization !== undefined,
    onUpstreamRequest: options.onUpstreamRequest,
    now,
  });
  const keyOf = createCallerKeys();
  const coalescer = createCoalescer<unknown>();
  const cache =
    cacheTtlMs > 0
      ? new LRUCache<string, { value: unknown }>({ maxSize: options.cacheMaxBytes, ttl: cacheTtlMs })
      : null;
  /** How often a caller has written: a part of the key under which its reads are shared. */
  const writes = new LRUCache<string, number>({ max: REMEMBERED_CALLERS });

  function forCaller(caller: Caller): AuthentikClient {
    const { key: callerKey } = caller.identity;
    const { signal } = caller;
    const usage = createUsage();
    let requestsLeft = caller.maxRestCalls;
    const operation: SendingOperation = { caller, usage, takeRequest, refusal: null };
    const shares: Share<unknown>[] = [];

    function abort(): void {
      for (const share of shares) share.abort(signal.reason);
    }

    function takeRequest(): boolean {
      requestsLeft -= 1;
      return requestsLeft >= 0;
    }

    async function fetch(request: UpstreamRequest, key: string, shared: AbortSignal): Promise<unknown> {
      const { value, bytes } = await send("GET", request, operation, shared);
      cache?.set(key, { value }, { size: ENTRY_BYTES + MEMORY_PER_BYTE * bytes });
      return value;
    }

    return {
      callerKey,
      upstream: authentik,
      usage,
      memory: new Map(),
      get(request) {
        if (signal.aborted) return Promise.reject(reasonOf(signal));
        const key = authentik.shareKey(caller.identity) + request.path;
        const cached = cache?.get(key);
        // Nobody else joins what has no key.
        const shareKey = coalesce ? key : "";
        if (cached || coalescer.has(shareKey)) usage.sharedCalls += 1;
        else if (!takeRequest()) return Promise.reject(tooManyRequests(request));
        if (cached) return Promise.resolve(cached.value);
        const share = coalescer.join(shareKey, (controller) => fetch(request, key, controller.signal));
        if (shares.push(share) === 1) signal.addEventListener("abort", abort);
        return share.result;
      },
      async delete(request) {
        if (signal.aborted) throw reasonOf(signal);
        if (!takeRequest()) throw tooManyRequests(request);
        try {
          await send("DELETE", request, operation, signal);
        } finally {
          writes.set(callerKey, (writes.get(callerKey) ?? 0) + 1);
        }
      },
    };
  }

  const authentik: Authentik = {
    list: options.list,
    rowCost: () => rowCost.current(),
    identify: (authorization) => ({ authorization, key: keyOf(authorization) }),
    shareKey: ({ key }) => key + (writes.get(key) ?? ""),
    forCaller,
    probe: ({ timeoutMs }) =>
      probeApi(http, { timeoutMs, url: options.url, authorization: serviceAuthorization?.() ?? null }),
    state: () => ({
      inFlight: queue.inFlight(),
      queued: queue.queued(),
      limit: limit.permits(),
      breaker: breaker.state(),
    }),
    close: () => http.close(),
  };
  return authentik;
}

/** Counters of an operation that has not cost anything yet. */
export function createUsage(): Usage {
  return {
    restCalls: 0,
    sharedCalls: 0,
    retries: 0,
    queuedMs: 0,
    rowsListed: 0,
    keysRequested: 0,
    keysFetched: 0,
  };
}

function reasonOf(signal: AbortSignal): AuthentikError {
  const reason: unknown = signal.reason;
  if (reason instanceof AuthentikError) return reason;
  return new AuthentikError("cancelled", "the operation was aborted", { cause: reason });
}

function tooManyRequests({ route }: UpstreamRequest): AuthentikError {
  return new AuthentikError("too-many-calls", "the operation has used up its REST calls", { route });
}
