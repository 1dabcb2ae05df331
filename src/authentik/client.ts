import { LRUCache } from "lru-cache";
import { createBreaker } from "./breaker.ts";
import { type Caller, type CallerIdentity, createCallerKeys, REMEMBERED_CALLERS } from "./caller.ts";
import { createCoalescer, type Abortable } from "./coalesce.ts";
import { AuthentikError, type AuthentikErrorKind } from "./authentik-error.ts";
import { createHttpClient, type HttpOptions } from "./http.ts";
import { probeApi } from "./probe.ts";
import {
  createSender,
  type SendingOperation,
  type UpstreamObservation,
  type UpstreamRequest,
} from "./request.ts";
import { createRetryBudget } from "./retry.ts";
import { createRowCost } from "./lookup/page-planner.ts";
import { createFixedLimit, createGradientLimit } from "./scheduler/concurrency-limit.ts";
import { createRequestQueue } from "./scheduler/queue.ts";
import { createTally, createUsage, type Tally } from "./usage.ts";

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

/** The REST API as one caller sees it, for one operation. */
export interface AuthentikClient extends Tally {
  /** {@link CallerIdentity.key} */
  readonly callerKey: string;
  /** Identity of the server behind this client, to hang process-wide knowledge on. */
  readonly upstream: Authentik;
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
  /** When the time budget ends or the client leaves: gives up what is under way, and refuses all else, with this reason. */
  abort(reason: AuthentikError): void;
}

/** One authentik server, shared by all operations of this process. */
export type Authentik = ReturnType<typeof createAuthentik>;

export type AuthentikState = ReturnType<Authentik["state"]>;

/** What a parsed response needs in memory, in multiples of its JSON text, and what an entry needs besides. */
const MEMORY_PER_BYTE = 4;
const ENTRY_BYTES = 500;

/** What is certainly not done. */
const REFUSALS: ReadonlySet<AuthentikErrorKind> = new Set([
  "overloaded",
  "unauthenticated",
  "service-credentials",
  "forbidden",
  "not-found",
  "rate-limited",
  "invalid-input",
  "rejected",
]);

const now = (): number => performance.now();

/** The REST API of one authentik server: cache, then coalesce, then queue, breaker, retry, then HTTP. */
export function createAuthentik(options: AuthentikOptions) {
  const { concurrency, queueMax, coalesce, cacheTtlMs, serviceAuthorization } = options;
  const limit = concurrency === "auto" ? createGradientLimit({ now }) : createFixedLimit(concurrency);
  const http = createHttpClient(options);
  // All that is sent with the gateway's own credential is one caller's.
  const queue = createRequestQueue({
    limit,
    queueMax,
    ...(serviceAuthorization && { mostOfOneCaller: queueMax }),
  });
  const breaker = createBreaker(now);
  const rowCost = createRowCost();
  const send = createSender({
    http,
    queue,
    breaker,
    rowCost,
    retries: options.retry ? createRetryBudget({ inFlightAtMost: () => limit.permits() }) : null,
    serviceMode: serviceAuthorization !== undefined,
    onUpstreamRequest: options.onUpstreamRequest,
  });
  const keyOf = createCallerKeys();
  const coalescer = createCoalescer<unknown>();
  const cache =
    cacheTtlMs > 0
      ? new LRUCache<string, { value: unknown }>({ maxSize: options.cacheMaxBytes, ttl: cacheTtlMs })
      : null;
  /** How often a caller has written: a part of the key under which its reads are shared. */
  const writes = new LRUCache<string, number>({ max: REMEMBERED_CALLERS });
  /** Callers of whose write it is not known whether it was or will be made: what they read is not kept meanwhile. */
  const unsettled = new LRUCache<string, true>({ max: REMEMBERED_CALLERS, ttl: cacheTtlMs });
  const usage = createUsage();

  function forCaller(caller: Caller): AuthentikClient {
    const { key: callerKey } = caller.identity;
    const tally = createTally(usage);
    const { maxRestCalls: max } = caller;
    let wanted = 0;
    let aborted: AuthentikError | null = null;
    const operation: SendingOperation = { caller, count: tally.count, takeRequest, refusal: null };
    const requests: Abortable<unknown>[] = [];
    /** What was read, or is under way: an operation asks nothing twice. */
    const reads = new Map<string, Promise<unknown>>();

    function takeRequest(): boolean {
      wanted += 1;
      return wanted <= max;
    }

    function tooManyRequests({ route }: UpstreamRequest): AuthentikError {
      const excess = { limit: "restCalls", max, actual: wanted } as const;
      return new AuthentikError("too-many-calls", "the operation has used up its REST calls", {
        route,
        excess,
      });
    }

    async function fetch(request: UpstreamRequest, key: string, signal: AbortSignal): Promise<unknown> {
      const { value, bytes } = await send("GET", request, operation, signal);
      if (!unsettled.has(callerKey))
        cache?.set(key, { value }, { size: ENTRY_BYTES + MEMORY_PER_BYTE * bytes });
      return value;
    }

    return {
      callerKey,
      upstream: authentik,
      ...tally,
      memory: new Map(),
      get(request) {
        if (aborted) return Promise.reject(aborted);
        const key = authentik.shareKey(caller.identity) + request.path;
        const known = request.fresh ? undefined : (reads.get(key) ?? cache?.get(key)?.value);
        // Nobody else joins what has no key.
        const shareKey = coalesce ? key : "";
        if (known !== undefined || coalescer.has(shareKey)) tally.count("sharedCalls");
        else if (!takeRequest()) return Promise.reject(tooManyRequests(request));
        if (known !== undefined) return Promise.resolve(known);
        const read = coalescer.join(shareKey, () => abortable((signal) => fetch(request, key, signal)));
        requests.push(read);
        reads.set(key, read.result);
        return read.result;
      },
      async delete(request) {
        if (aborted) throw aborted;
        if (!takeRequest()) throw tooManyRequests(request);
        const sent = abortable((signal) => send("DELETE", request, operation, signal));
        requests.push(sent);
        try {
          await sent.result;
        } catch (error) {
          if (!(error instanceof AuthentikError && REFUSALS.has(error.kind))) unsettled.set(callerKey, true);
          throw error;
        } finally {
          writes.set(callerKey, (writes.get(callerKey) ?? 0) + 1);
        }
      },
      abort(reason) {
        aborted ??= reason;
        for (const request of requests) request.abort(aborted);
      },
    };
  }

  const authentik = {
    /** Whether several keys may be picked from a list. */
    list: options.list,
    /** What one more row in a list costs authentik, in retrieves, as measured lately. */
    rowCost: () => rowCost.current(),
    /** Who calls, by a whole `Authorization` value that was checked for form. */
    identify: (authorization: string): CallerIdentity => ({ authorization, key: keyOf(authorization) }),
    /** What a caller's reads in flight may be shared under: another key after each of its writes. */
    shareKey: ({ key }: CallerIdentity): string => key + (writes.get(key) ?? ""),
    forCaller,
    /** What all operations cost so far. */
    usage,
    /** Asks the API whether it is an authentik, and in service mode whether it takes the token. Never throws. */
    probe: ({ timeoutMs }: { timeoutMs: number }) =>
      probeApi(http, { timeoutMs, url: options.url, authorization: serviceAuthorization?.() ?? null }),
    /** A snapshot for readiness, logs and metrics. */
    state: () => ({
      inFlight: queue.inFlight(),
      queued: queue.queued(),
      limit: limit.permits(),
      breaker: breaker.state(),
    }),
    /** Ends every connection; requests in flight fail. */
    close: () => http.close(),
  };
  return authentik;
}

function abortable<Result>(start: (signal: AbortSignal) => Promise<Result>): Abortable<Result> {
  const controller = new AbortController();
  return { result: start(controller.signal), abort: (reason) => controller.abort(reason) };
}
