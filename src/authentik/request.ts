import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { Breaker, CallOutcome } from "./breaker.ts";
import { type Caller, REMEMBERED_CALLERS } from "./caller.ts";
import { AuthentikError, type AuthentikErrorKind } from "./authentik-error.ts";
import { isJsonObject } from "./decoders.ts";
import type { HttpClient, UpstreamResponse } from "./http.ts";
import { toNetworkError } from "./network-errors.ts";
import { decodeResponse } from "./response.ts";
import { isWorthRetrying, type RetryBudget, retryPauseMs } from "./retry.ts";
import type { RowCost } from "./lookup/page-planner.ts";
import type { LimitSample } from "./scheduler/concurrency-limit.ts";
import type { RequestQueue } from "./scheduler/queue.ts";
import type { Tally } from "./usage.ts";

/** A request below `/api/v3`. */
export interface UpstreamRequest {
  /** Route as a template, for logs and metrics: `/sources/user_connections/plex/{id}/`. */
  route: string;
  /** Path and query to send: `/sources/user_connections/plex/5/`. Canonical; nothing in it that was not checked. */
  path: string;
  /** Rows that a list is expected to answer with; absent for a retrieve. */
  rows?: number;
  /** Whether what was read before is out of date, in the cache or by the operation itself. Default false. */
  fresh?: boolean;
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

/** What all requests to one authentik share. */
export interface SenderParts {
  http: HttpClient;
  queue: RequestQueue;
  breaker: Breaker;
  rowCost: RowCost;
  /** Null: nothing is sent twice. */
  retries: RetryBudget | null;
  /** Whether the credential is the gateway's own. */
  serviceMode: boolean;
  onUpstreamRequest: ((observation: UpstreamObservation) => void) | undefined;
}

/** Whose operation a request belongs to. */
export interface SendingOperation {
  caller: Caller;
  count: Tally["count"];
  /** Whether the operation may send one more request; takes it from its allowance. */
  takeRequest: () => boolean;
  /** What authentik said when it refused the credential: it would say so again to each further request. */
  refusal: AuthentikError | null;
}

/** With no more requests in flight than this, latencies are authentik's own. */
const QUIET_REQUESTS = 2;
/** A deadline that ended a request in flight for less than this tells nothing about authentik. */
const TIMEOUT_COUNTS_FROM_MS = 500;

export function createSender(parts: SenderParts) {
  const { http, queue, breaker, rowCost, retries, serviceMode, onUpstreamRequest } = parts;
  /** Keys of callers whose credential authentik has accepted; all others share one turn in the queue. */
  const accepted = new LRUCache<string, true>({ max: REMEMBERED_CALLERS });
  /** An error as the operation is told of it. */
  const asTold = serviceMode ? asOperators : (error: AuthentikError) => error;

  /** Null: the permit is there; else a promise of it. @throws {AuthentikError} overloaded, or the reason of the signal */
  function takePermit(
    { caller, count }: SendingOperation,
    signal: AbortSignal,
    route: string,
    failure: AuthentikError | null,
  ): Promise<void> | null {
    const callerKey = caller.identity.key;
    let isPermitted = false;
    let grant = (): void => void (isPermitted = true);
    const request = { callerKey: accepted.has(callerKey) ? callerKey : "", start: () => grant() };
    if (!queue.enter(request))
      throw failure ?? new AuthentikError("overloaded", "the queue towards authentik is full", { route });
    if (isPermitted) return null;
    const enteredMs = performance.now();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        signal.removeEventListener("abort", abort);
        count("queuedMs", performance.now() - enteredMs);
      };
      const abort = (): void => {
        queue.abort(request);
        end();
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort);
      grant = () => {
        end();
        resolve();
      };
    });
  }

  /** Takes what sending once more costs, where that is safe and may help. */
  function takeRetry(method: "GET" | "DELETE", operation: SendingOperation, error: AuthentikError): boolean {
    return (
      method === "GET" &&
      retries !== null &&
      isWorthRetrying(error) &&
      operation.takeRequest() &&
      retries.spend()
    );
  }

  /**
   * Sends one request: waits for a permit, sends it, and where that is safe and may help once more.
   * @returns the decoded body of the response, and its size
   * @throws {AuthentikError} for everything that is no usable response
   */
  return async function send(
    method: "GET" | "DELETE",
    request: UpstreamRequest,
    operation: SendingOperation,
    signal: AbortSignal,
    /** Of the first attempt, where this is the second. */
    failure: AuthentikError | null = null,
  ): Promise<{ value: unknown; bytes: number }> {
    if (failure === null) retries?.earn();
    const { route } = request;
    const { caller, count } = operation;
    const { key: callerKey, authorization } = caller.identity;
    const blockedMs = breaker.blockedMs();
    // Where there is no second attempt, the failure of the first one says why there is no response.
    if (blockedMs > 0) throw failure ?? breakerIsOpen(blockedMs, route);
    const permit = takePermit(operation, signal, route, failure);
    if (permit !== null) await permit;
    const startedMs = performance.now();
    if (operation.refusal) {
      queue.release({ kind: "other", latencyMs: 0 });
      throw operation.refusal;
    }
    const admission = breaker.admit();
    if (typeof admission === "number") {
      queue.release({ kind: "other", latencyMs: 0 });
      throw failure ?? breakerIsOpen(admission, route);
    }
    count("restCalls");
    if (failure) count("retries");
    const isQuiet = queue.inFlight() <= QUIET_REQUESTS;
    const span = caller.span?.startUpstreamRequest({ method, route });
    const headers = ["X-Request-Id", caller.requestId, "Authorization", authorization];
    if (span) headers.push(...Object.entries(span.headers).flat());

    let response: UpstreamResponse | null = null;
    let result: { readonly value: unknown } | AuthentikError;
    try {
      response = await http.send({ method, path: request.path, headers }, signal);
      result = decodeResponse(response, { route, method });
    } catch (cause) {
      result =
        cause instanceof AuthentikError
          ? cause
          : toNetworkError(cause instanceof Error ? cause : new Error(String(cause)), route);
    }
    const error = result instanceof AuthentikError ? result : null;
    const latencyMs = response?.latencyMs ?? performance.now() - startedMs;
    const isLate = error?.kind === "timeout" && latencyMs >= TIMEOUT_COUNTS_FROM_MS;
    const again =
      failure === null && admission === "normal" && error !== null && takeRetry(method, operation, error);
    // Of an attempt that is made again the second outcome counts: a worker or proxy that ends takes all that it had in
    // flight along, while authentik answers the very next request.
    breaker.record(admission, again ? "neutral" : breakerOutcome(error, isLate));
    const rows = request.rows === undefined ? null : rowsOf(result);
    if (rows !== null) count("rowsListed", rows);
    if (error === null && isQuiet && queue.inFlight() <= QUIET_REQUESTS) rowCost.observe(rows, latencyMs);
    queue.release({
      kind: isLate ? "dropped" : sampleKind(response, error, method === "GET" && request.rows === undefined),
      latencyMs,
    });
    const upstreamRequestId = response?.upstreamRequestId;
    span?.end({ status: response?.status, error: error?.kind, upstreamRequestId });
    const traceId = caller.span?.traceId;
    onUpstreamRequest?.({ route, outcome: error?.kind ?? "ok", durationMs: latencyMs, traceId });
    if (error?.kind === "unauthenticated") {
      accepted.delete(callerKey);
      operation.refusal = asTold(error);
    } else if (response && (error === null || error.kind === "not-found" || error.kind === "forbidden"))
      accepted.set(callerKey, true);
    if (error === null)
      return { value: "value" in result ? result.value : null, bytes: response?.bytes ?? 0 };
    if (!again) throw asTold(error);
    await pause(signal, error);
    return send(method, request, operation, signal, error);
  };
}

/** Waits a moment. Where time runs out meanwhile, the failure of the first attempt says why there is no response. */
async function pause(signal: AbortSignal, failure: AuthentikError): Promise<void> {
  try {
    await sleep(retryPauseMs(), undefined, { signal });
  } catch {
    const reason: unknown = signal.reason;
    throw reason instanceof AuthentikError && reason.kind === "timeout" ? failure : reason;
  }
}

/** The gateway's own credential is refused: that is for its operator to mend. */
function asOperators(error: AuthentikError): AuthentikError {
  if (error.kind !== "unauthenticated") return error;
  const { status, route, upstreamRequestId } = error;
  return new AuthentikError("service-credentials", "authentik refuses the gateway's own token", {
    status,
    route,
    upstreamRequestId,
    detail: "AUTHENTIK_TOKEN is invalid or expired",
  });
}

/** Trouble of the server or the way to it counts, not that of one caller. */
function breakerOutcome(error: AuthentikError | null, isLate: boolean): CallOutcome {
  if (isLate) return "failure";
  switch (error?.kind) {
    case "unreachable":
    case "misconfigured":
    case "starting":
      return "failure";
    case "timeout":
    case "cancelled":
      return "neutral";
    default:
      return "success";
  }
}

function sampleKind(
  response: UpstreamResponse | null,
  error: AuthentikError | null,
  isRetrieve: boolean,
): LimitSample["kind"] {
  if (response?.status === 503 || response?.status === 504) return "dropped";
  if (error?.kind === "unauthenticated") return "refusal";
  const isServed = response !== null && (error === null || error.kind === "not-found");
  return isServed && isRetrieve ? "retrieve" : "other";
}

/** Rows of a list; null for anything else. */
function rowsOf(result: object): number | null {
  const rows = "value" in result && isJsonObject(result.value) ? result.value["results"] : null;
  return Array.isArray(rows) ? rows.length : null;
}

function breakerIsOpen(blockedMs: number, route: string): AuthentikError {
  return new AuthentikError("unreachable", "authentik failed too often just now, so nothing was sent", {
    route,
    retryAfterSeconds: Math.ceil(blockedMs / 1_000),
    detail: "the circuit breaker is open",
  });
}
