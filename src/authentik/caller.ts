import { hash, randomBytes } from "node:crypto";
import { AuthentikError, type AuthentikErrorKind } from "./authentik-error.ts";

/** Whose credential a request uses. */
export interface CallerIdentity {
  /** `Bearer` and the token, checked for form. */
  readonly authorization: string;
  /** Keyed hash of it: equal for equal tokens, useless outside this process. */
  readonly key: string;
}

/** One caller's operation, and whose credential is used. */
export interface Caller {
  identity: CallerIdentity;
  /** Sent as `X-Request-Id`, so that both logs can be joined. */
  requestId: string;
  /** Requests that this operation may cause. */
  maxRestCalls: number;
  /** The operation's own; absent where nothing is traced. */
  span?: OperationSpan | undefined;
}

/** One operation in a trace. */
export interface OperationSpan {
  readonly traceId: string;
  startUpstreamRequest(request: { method: string; route: string }): UpstreamSpan;
}

/** One request in a trace, each attempt its own. */
export interface UpstreamSpan {
  /** To send with it, so that authentik can continue the trace: `traceparent`, and `tracestate` if there is one. */
  readonly headers: Readonly<Record<string, string>>;
  end(result: {
    /** Absent when there was no response. */
    status?: number | undefined;
    /** Absent for a usable response. */
    error?: AuthentikErrorKind | undefined;
    /** `X-authentik-id` of the response. */
    upstreamRequestId?: string | undefined;
  }): void;
}

/** Callers of whom something is remembered. Forgetting costs a place in the queue, or one request, at most. */
export const REMEMBERED_CALLERS = 10_000;

// One scheme, one space, one word of printable ASCII (RFC 6750, 2.1). authentik takes the scheme in any case.
const BEARER = /^bearer ([\x21-\x7e]+)$/i;

/**
 * An `Authorization` value that authentik can judge, in its one spelling, or why it cannot.
 *
 * Missing, empty and malformed values and other schemes are refused here, before anything is sent: real servers answer
 * several of them with a 500 page (recorded: no credentials since 2025.2, schemes but Bearer since 2025.12, a scheme or
 * a token alone, non-ASCII characters).
 */
export function checkAuthorization(value: string | undefined): string | AuthentikError {
  if (value === undefined || value === "") {
    return new AuthentikError("unauthenticated", "the caller sent no credentials");
  }
  const token = BEARER.exec(value)?.[1];
  if (token === undefined)
    return new AuthentikError("unauthenticated", "the caller's credentials are no bearer token");
  return `Bearer ${token}`;
}

/**
 * A function from credentials to keys: equal for equal credentials, different for different ones, and useless to whoever
 * reads them in a dump, a log or a metric, because the secret in the hash is random and lives in this process only.
 *
 * Nothing is remembered: a table would hold the credentials themselves, long after their callers left. The secret is put
 * on both sides, so that a key cannot be extended; hashing in one call takes 0.6 µs where an HMAC takes 1.8.
 */
export function createCallerKeys(): (authorization: string) => string {
  const secret = randomBytes(32).toString("base64url");
  return (authorization) => hash("sha256", secret + authorization + secret, "base64url").slice(0, 27);
}
