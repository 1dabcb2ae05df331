import { GraphQLError, type GraphQLFormattedError } from "graphql";
import { AuthentikError, type AuthentikErrorKind } from "../authentik/authentik-error.ts";
import { isJsonObject, type JsonObject, shortened } from "../authentik/decoders.ts";
import { locationsOf } from "./locations.ts";

/** Every code that a client can meet in `extensions.code`. */
export type ErrorCode =
  | "BAD_USER_INPUT"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "RATE_LIMITED"
  | "UPSTREAM_UNAVAILABLE"
  | "UPSTREAM_ERROR"
  | "UPSTREAM_REJECTED"
  | "UPSTREAM_REDIRECTED"
  | "UPSTREAM_INVALID_RESPONSE"
  | "UPSTREAM_TIMEOUT"
  | "OVERLOADED"
  | "LIMIT_EXCEEDED"
  | "BAD_REQUEST"
  | "PERSISTED_QUERY_NOT_FOUND"
  | "PERSISTED_QUERY_MISMATCH"
  | "CLIENT_CLOSED_REQUEST"
  | "INTERNAL_SERVER_ERROR";

/** The fixed sentence and code for each kind of failure. Sentences say what to do next and carry nothing of authentik's. */
const CLIENT_ERRORS: Readonly<Record<AuthentikErrorKind, { code: ErrorCode; message: string }>> = {
  unreachable: {
    code: "UPSTREAM_UNAVAILABLE",
    message:
      "authentik cannot be reached right now. Try again in a moment; if it stays so, tell the gateway's operator.",
  },
  misconfigured: {
    code: "UPSTREAM_UNAVAILABLE",
    message:
      "The gateway looks for authentik at an address where none can answer. Tell the gateway's operator the request id.",
  },
  starting: { code: "UPSTREAM_UNAVAILABLE", message: "authentik is starting. Try again in a few seconds." },
  timeout: {
    code: "UPSTREAM_TIMEOUT",
    message: "authentik did not answer in time. Try again, or ask for less at once.",
  },
  cancelled: { code: "CLIENT_CLOSED_REQUEST", message: "The client left before the answer was ready." },
  overloaded: {
    code: "OVERLOADED",
    message: "Too many calls are waiting for authentik. Try again in a moment, or ask for less at once.",
  },
  "too-many-calls": {
    code: "LIMIT_EXCEEDED",
    message:
      "This operation needs more calls to authentik than one operation may cause. Ask for less at once.",
  },
  "too-many-rows": {
    code: "LIMIT_EXCEEDED",
    message:
      "What you ask for is among more connections of authentik's than one lookup may look through. Narrow it down, such " +
      "as by a `source` in the filter of `plexConnections`.",
  },
  unauthenticated: {
    code: "UNAUTHENTICATED",
    message: "Send a valid authentik API token as `Authorization: Bearer <token>`.",
  },
  "service-credentials": {
    code: "UPSTREAM_REJECTED",
    message: "authentik refuses the gateway's own token. Tell the gateway's operator the request id.",
  },
  forbidden: { code: "FORBIDDEN", message: "Your authentik account has no permission for this." },
  "not-found": { code: "UPSTREAM_REJECTED", message: "authentik has no such object, or you may not see it." },
  "rate-limited": {
    code: "RATE_LIMITED",
    message: "authentik asks for fewer requests. Wait before you try again.",
  },
  "invalid-input": { code: "BAD_USER_INPUT", message: "authentik refused the input. See `fieldErrors`." },
  rejected: {
    code: "UPSTREAM_REJECTED",
    message: "authentik refused the request. Tell the gateway's operator the request id.",
  },
  redirected: {
    code: "UPSTREAM_REDIRECTED",
    message:
      "authentik's address answered with a redirect, probably to a login page. Tell the gateway's operator.",
  },
  "upstream-failure": {
    code: "UPSTREAM_ERROR",
    message: "authentik failed while answering. Try again later; authentik's own log says more.",
  },
  "malformed-response": {
    code: "UPSTREAM_INVALID_RESPONSE",
    message:
      "authentik answered with something that is not its API. Tell the gateway's operator the request id.",
  },
};

const INTERNAL: { code: ErrorCode; message: string } = {
  code: "INTERNAL_SERVER_ERROR",
  message: "Something went wrong in the gateway. Tell its operator the request id.",
};

/** An error as it goes out: nothing in it that was not written for the client. */
export interface FormattedError extends GraphQLFormattedError {
  readonly extensions: JsonObject & { readonly code: string; readonly requestId: string };
}

/**
 * An error in what the client asked for, with a sentence and code of ours.
 * @param extensions further fields that help the client act
 */
export function clientError(code: ErrorCode, message: string, extensions: JsonObject = {}): GraphQLError {
  // Where it was made tells nobody anything, and writing that down costs most of all.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new GraphQLError(message, { extensions: { ...extensions, code } });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Longest message that graphql-js may send, since it quotes the client's own input. */
const MAX_MESSAGE_LENGTH = 500;

/**
 * Turns whatever went wrong into what the client may see.
 *
 * Errors of the document keep their message and position; failures of authentik get the fixed sentence of their
 * kind; everything else is masked.
 * @param options.fallbackCode code of errors that graphql-js raised without one
 * @param options.onProblem takes what an operator should see and a client must not
 */
export function formatError(
  error: unknown,
  options: { requestId: string; fallbackCode: string; onProblem?: (problem: JsonObject) => void },
): FormattedError {
  const { requestId, fallbackCode, onProblem } = options;
  const root = rootOf(error);
  const position = positionOf(error);
  if (root instanceof AuthentikError) {
    const { code, message } = CLIENT_ERRORS[root.kind];
    onProblem?.(problemOf(root, position.path));
    return {
      message,
      ...position,
      extensions: {
        code,
        requestId,
        ...(root.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: root.retryAfterSeconds }),
        ...(root.kind === "invalid-input" ? { fieldErrors: root.fieldErrors } : {}),
        ...root.excess,
      },
    };
  }
  if (root instanceof GraphQLError) {
    const {
      code,
      http: _http,
      spec: _spec,
      originalError: _original,
      unexpected: _unexpected,
      ...rest
    } = root.extensions;
    return {
      message: shortened(root.message, MAX_MESSAGE_LENGTH),
      ...position,
      extensions: { ...rest, code: typeof code === "string" ? code : fallbackCode, requestId },
    };
  }
  onProblem?.({
    problem: "unexpected",
    error: root instanceof Error ? (root.stack ?? root.message) : typeof root,
  });
  return { message: INTERNAL.message, ...position, extensions: { code: INTERNAL.code, requestId } };
}

/** The error that was thrown first, below what graphql-js wrapped around it. */
function rootOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootOf(error.originalError) : error;
}

function positionOf(error: unknown): Pick<FormattedError, "locations" | "path"> {
  if (!(error instanceof GraphQLError)) return {};
  const locations = locationsOf(error);
  return {
    ...(locations.length > 0 ? { locations } : {}),
    ...(error.path ? { path: error.path } : {}),
  };
}

function problemOf(error: AuthentikError, path: FormattedError["path"]): JsonObject {
  const problem: Record<string, unknown> = { problem: error.kind };
  for (const key of ["status", "route", "detail", "upstreamRequestId", "retryAfterSeconds"] as const) {
    if (error[key] !== undefined) problem[key] = error[key];
  }
  if (path) problem["path"] = path.join(".");
  const { cause } = error;
  if (isJsonObject(cause) && typeof cause["code"] === "string") problem["cause"] = cause["code"];
  return problem;
}
