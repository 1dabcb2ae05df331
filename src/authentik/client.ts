import type { Cancellation } from "./cancellation.ts";

/** How to reach one authentik server and how much work to give it. Every duration is in milliseconds. */
export interface AuthentikOptions {
  /** Base URL, with the path prefix if authentik has one (`https://id.example.org/auth`); API paths are appended. */
  url: URL;
  /** PEM text of certificate authorities to trust besides Node's own. */
  caPem?: string;
  userAgent: string;
  /** Calls in flight at once: `auto` adapts between 2 and 256 from 8 at the start. */
  concurrency: "auto" | number;
  /** Calls that may wait for a free place; the next one is refused at once. */
  queueMax: number;
  maxResponseBytes: number;
  connectTimeoutMs: number;
  /** Whether identical GETs of one caller in flight at once share one call. */
  coalesce: boolean;
  /** How long an answer may be reused for the same caller; 0 switches the cache off. */
  cacheTtlMs: number;
  cacheMaxBytes: number;
  /** Whether several keys may be picked from a list instead of retrieved one by one. */
  list: boolean;
  /** Whether a GET is sent once more after a reset, 502, 503, 504 or "starting". */
  retry: boolean;
}

/** Whose credential a call uses, worked out once for as many operations as one connection brings. */
export interface CallerIdentity {
  /** The whole `Authorization` value, already checked for form. */
  readonly authorization: string;
  /** Keyed hash of it: equal for equal credentials, useless outside this process. */
  readonly key: string;
}

/** One caller's operation: whose credential is used, and until when. */
export interface Caller {
  identity: CallerIdentity;
  /** Sent as `X-Request-Id`, so that both logs can be joined. */
  requestId: string;
  /** Aborted when the time budget ends or the client leaves; its reason is an `AuthentikError` of that kind. */
  signal: Cancellation;
  /** REST calls that this operation may cause. */
  maxRestCalls: number;
}

/** A GET below `/api/v3`. */
export interface RestGet {
  /** Route as a template, for logs and metrics: `/sources/user_connections/plex/{id}/`. */
  route: string;
  /** Path and query to send: `/sources/user_connections/plex/5/`. Canonical; made of digits, UUIDs and slugs only. */
  path: string;
  /** Rows that a list is expected to answer with (decides its weight); absent for a retrieve. */
  rows?: number;
}

export type UpstreamRequest = RestGet;

/** What one operation cost so far. Mutable, read when the operation is logged. */
export interface Usage {
  /** Calls sent to authentik on behalf of this operation, retries included. */
  restCalls: number;
  /** Calls that another operation in flight, or the cache, answered. */
  sharedCalls: number;
  retries: number;
  /** Milliseconds that calls of this operation waited for a place, added up. */
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
  /** What was made for this operation, such as loaders; see `perRequest`. */
  readonly values: Record<symbol, unknown>;
  /**
   * The parsed JSON of a 200 answer. Callers must not change it: others may read the same object.
   * @throws {AuthentikError} for everything else
   */
  get(request: RestGet): Promise<unknown>;
  /**
   * Deletes an object: 204 with nothing in it. Sent once, whatever happens, and shared with nobody.
   * @throws {AuthentikError} for everything else
   */
  delete(request: UpstreamRequest): Promise<void>;
}

/** What a probe of the API found, in words for an operator; never shown to clients. */
export interface Probe {
  ok: boolean;
  /** Empty when ok. What is wrong and what to check. */
  problem: string;
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
  /**
   * What one more row in a list costs authentik, in retrieves, as measured lately.
   * 0.08 until there is a measurement; kept between 0.02 and 0.25.
   */
  rowCost(): number;
  /** Who calls, by a whole `Authorization` value that was checked for form. */
  identify(authorization: string): CallerIdentity;
  forCaller(caller: Caller): AuthentikClient;
  /** Asks the API without credentials whether it is an authentik, within `timeoutMs`. Never throws. */
  probe(options: { timeoutMs: number }): Promise<Probe>;
  state(): AuthentikState;
  /** Ends idle connections; calls in flight are cancelled. */
  close(): Promise<void>;
}
