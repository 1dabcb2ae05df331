/** What kept authentik from giving the answer that was asked for; one word for each thing a client can act on. */
export type AuthentikErrorKind =
  /** Nothing answered: refused, reset, 502/503/504, a proxy's 408 or 520 to 530, or the circuit breaker is open. */
  | "unreachable"
  /** Nothing can answer where the gateway looks for authentik: unknown host, wrong scheme or port, untrusted certificate. */
  | "misconfigured"
  /** authentik runs but is not ready yet (502, 503 or even 200 with `{"error":"authentik starting"}`). */
  | "starting"
  /** The operation's time budget ended first. */
  | "timeout"
  /** The client left; nobody reads the answer. */
  | "cancelled"
  /** The gateway's own queue towards authentik is full: nothing was sent. */
  | "overloaded"
  /** The operation used up its allowance of REST calls: nothing was sent. */
  | "too-many-calls"
  /** What was asked for can only be found by looking through a list that is too long for it. */
  | "too-many-rows"
  /** No or bad credentials: 401 in JSON, and 403 with authentik's own untranslated texts for them. */
  | "unauthenticated"
  /** authentik refuses the gateway's own token, in service mode. */
  | "service-credentials"
  /** 403 as authentik's API says it: JSON with `detail`. A page is `malformed-response`. */
  | "forbidden"
  /** 404 as authentik's API says it. A page is `malformed-response`. */
  | "not-found"
  | "rate-limited"
  /** 400 with field errors. */
  | "invalid-input"
  /** Any other 4xx. */
  | "rejected"
  /** 3xx: usually a login page in front of authentik. Never followed. */
  | "redirected"
  /** 500 and other 5xx. */
  | "upstream-failure"
  /** Not JSON, the wrong shape, too large, or a page where the API should be. */
  | "malformed-response";

/** A limit of the gateway's that an operation went beyond, as clients are told of it. */
interface Excess {
  limit: "restCalls" | "scannedRows";
  max: number;
  actual: number;
}

/** What an {@link AuthentikError} carries besides its kind. */
export interface AuthentikErrorOptions {
  /** HTTP status, when there was an answer. */
  status?: number | undefined;
  /** Seconds after which authentik said to come back. */
  retryAfterSeconds?: number | undefined;
  /** The JSON body of a 400: per-field lists, `non_field_errors`, `code`, possibly nested. */
  fieldErrors?: unknown;
  /** REST route as a template, such as `/sources/user_connections/plex/{id}/`: for the log only. */
  route?: string | undefined;
  /** `X-authentik-id` of the answer: for the log only. */
  upstreamRequestId?: string | undefined;
  /** What an operator should check, in our words plus at most a short excerpt: for the log only. */
  detail?: string | undefined;
  cause?: unknown;
  /** For too much of something: of what, how much there may be, and how much there is or was asked for so far. */
  excess?: Excess | undefined;
}

/**
 * One REST call that did not give a usable answer.
 *
 * Covers transport, status and shape. Never carries a credential, a header value of the caller or a full body.
 * `message` is for the operator's log; clients get the sentence that `graphql/errors.ts` has for the kind.
 */
export class AuthentikError extends Error {
  override readonly name = "AuthentikError";
  readonly kind: AuthentikErrorKind;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly fieldErrors: unknown;
  readonly route: string | undefined;
  readonly upstreamRequestId: string | undefined;
  readonly detail: string | undefined;
  readonly excess: Excess | undefined;

  constructor(kind: AuthentikErrorKind, message: string, options: AuthentikErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    // Where it was made tells nobody anything, and writing that down for each of a thousand refusals costs most of all.
    this.stack = `${this.name}: ${message}`;
    this.kind = kind;
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fieldErrors = options.fieldErrors;
    this.route = options.route;
    this.upstreamRequestId = options.upstreamRequestId;
    this.detail = options.detail;
    this.excess = options.excess;
  }
}

/** Whether authentik refused what was given for a field: a 400 that names it. */
export function isRefusalOf(error: unknown, field: string): boolean {
  if (!(error instanceof AuthentikError) || error.kind !== "invalid-input") return false;
  const { fieldErrors } = error;
  return typeof fieldErrors === "object" && fieldErrors !== null && field in fieldErrors;
}

/** What this gives, or the AuthentikError that it throws. */
export function outcomeOf<T>(decode: () => T): T | AuthentikError {
  try {
    return decode();
  } catch (error) {
    return asAuthentikError(error);
  }
}

/** What this resolves with, or the AuthentikError that it rejects with. */
export function orError<T>(work: Promise<T>): Promise<T | AuthentikError> {
  return work.catch(asAuthentikError);
}

/** @throws what is none */
function asAuthentikError(error: unknown): AuthentikError {
  if (error instanceof AuthentikError) return error;
  throw error;
}
