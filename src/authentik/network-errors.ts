import { AuthentikError } from "./authentik-error.ts";

/** The connection was there and broke: the same GET may well succeed on another one. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

const SCHEME = "where authentik's URL begins with http:// and the port speaks TLS, try https://";
const CUT_OFF = `the connection ended before the answer did; ${SCHEME}`;

/** What an operator should look at, by the code of the failure. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNRESET: CUT_OFF,
  EPIPE: CUT_OFF,
  UND_ERR_SOCKET: CUT_OFF,
  ECONNREFUSED: "nothing listens at the host and port of authentik's URL",
  EAI_AGAIN: "DNS does not answer for the host name of authentik's URL",
  UND_ERR_CONNECT_TIMEOUT: "the host of authentik's URL does not answer: check address, port and firewalls",
  ETIMEDOUT: "the host of authentik's URL does not answer: check address, port and firewalls",
  EHOSTUNREACH: "there is no route to the host of authentik's URL",
  ENETUNREACH: "there is no route to the host of authentik's URL",
};

/** For an operator whose URL begins with http://, where that is certain. */
export const SPEAKS_TLS = "the port speaks TLS: try https://";
/** A record of TLS that holds an alert: what a TLS server says to what it cannot read. */
const TLS_ALERT = "\u0015\u0003";

const NO_TLS = "the port speaks no TLS: try http://, or the port for https";

/** Failures that no waiting mends, because the operator must act. */
const MISCONFIGURED: Readonly<Record<string, string>> = {
  ENOTFOUND: "the host name of authentik's URL is not known to DNS",
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host name than the one in authentik's URL",
  CERT_HAS_EXPIRED: "the certificate of authentik has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is not trusted: give its authority as a CA file",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate is not trusted: give its authority as a CA file",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate is not trusted: give its authority as a CA file",
  UNABLE_TO_GET_ISSUER_CERT: "the certificate is not trusted: give its authority as a CA file",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate is not trusted: give its authority as a CA file",
};

/** This side ended it: the caller left or ran out of time, or the client is being closed. */
const GIVEN_UP: ReadonlySet<string> = new Set(["UND_ERR_ABORTED", "UND_ERR_DESTROYED", "UND_ERR_CLOSED"]);

/** Failures after which the connection had said something, only not HTTP as we can use it. */
const UNUSABLE_RESPONSES: Readonly<Record<string, string>> = {
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "the answer is larger than the limit for answers of authentik",
  UND_ERR_HEADERS_OVERFLOW: "the headers of the answer are too large",
  INTERIM_RESPONSES: "more interim answers (1xx) than any server has reason for came before a real one",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the answer is shorter or longer than it claims",
};

/**
 * undici ends the connection at a 101, and at a 100 that `http.ts` has left to it, and tells them from other broken
 * connections by its message alone.
 */
const UNASKED_INTERIM: Readonly<Record<string, string>> = {
  "bad response": "an interim answer 100 came, which nobody had asked for",
  "bad upgrade": "an interim answer 101 came, which nobody had asked for",
};

/** undici's or the system's failure of a request as the kind a client can act on, with the code for the operator. */
export function toNetworkError(error: Error, route: string): AuthentikError {
  const code = codeOf(error);
  // undici's parser names what it met by a code where it has one.
  const noHttp = code.startsWith("HPE_") || code === "HTTPParserError" || code === "ERR_ASSERTION";
  const misconfigured = noHttp && isTlsAlert(error) ? SPEAKS_TLS : MISCONFIGURED[code];
  if (misconfigured !== undefined) {
    return new AuthentikError("misconfigured", "authentik cannot be reached as the gateway is configured", {
      route,
      detail: `${code}: ${misconfigured}`,
      cause: error,
    });
  }
  const unusable = UNUSABLE_RESPONSES[code] ?? (noHttp ? `the answer is not HTTP; ${SCHEME}` : undefined);
  if (unusable !== undefined) {
    return new AuthentikError("malformed-response", "authentik's answer cannot be read", {
      route,
      detail: `${code}: ${unusable}`,
      cause: error,
    });
  }
  if (GIVEN_UP.has(code)) {
    return new AuthentikError("cancelled", "the call was given up on this side", { route, detail: code });
  }
  if (code === "UND_ERR_INVALID_ARG") {
    // undici refuses it before anything is sent; its error may quote our header, so it is no cause here.
    return new AuthentikError("rejected", "the request cannot be written as HTTP", { route, detail: code });
  }
  const hint = UNASKED_INTERIM[error.message] ?? HINTS[code];
  return new AuthentikError("unreachable", "authentik cannot be reached", {
    route,
    detail: hint === undefined ? code : `${code}: ${hint}`,
    cause: error,
  });
}

/** Whether this is an established connection that broke. */
export function isBrokenConnection(error: AuthentikError): boolean {
  return (
    error.kind === "unreachable" && error.cause instanceof Error && BROKEN_CONNECTION.has(codeOf(error.cause))
  );
}

/** undici's parser keeps what it could not read. */
function isTlsAlert(error: Error): boolean {
  return "data" in error && typeof error.data === "string" && error.data.startsWith(TLS_ALERT);
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
