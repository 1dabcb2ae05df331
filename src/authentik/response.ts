import { AuthentikError, type AuthentikErrorKind, type AuthentikErrorOptions } from "./authentik-error.ts";
import { isJsonObject, shortened } from "./decoders.ts";
import type { UpstreamResponse } from "./http.ts";
import { SPEAKS_TLS } from "./network-errors.ts";

/**
 * The texts authentik has for missing, wrong, unsupported and malformed credentials, all with status 403.
 * The last three are never translated. The first is, where the brand has a language, but only who shows no credential gets
 * it. Every other 403 is about permissions.
 */
const CREDENTIAL_TEXTS: ReadonlySet<string> = new Set([
  "Authentication credentials were not provided.",
  "Token invalid/expired",
  "Unsupported authentication type",
  "Malformed header",
]);

/** What servers written in Go (authentik's own router, Caddy, Traefik), nginx, Apache and Tomcat say to http:// on a port for https://. */
const PLAIN_HTTP_TO_TLS =
  /HTTP request (?:to an HTTPS server|was sent to HTTPS port)|plain HTTP to an SSL-enabled|host and port requires TLS/;
const MAX_PAGE_LENGTH = 1_000;

const CODING = /^[\w-]{1,20}/;

/** authentik's own request ids; a proxy may put anything into that header, and a log is no place for it. */
const REQUEST_ID = /^[0-9a-f-]{32,36}$/i;

/** How the details of answers end that are not of the API. */
export const PAGE_INSTEAD_OF_API =
  "the answer is not from authentik's API: check the URL and path prefix of authentik, and what stands in front of it";

type Failure = (kind: AuthentikErrorKind, message: string, options?: AuthentikErrorOptions) => AuthentikError;

/**
 * The JSON of a usable response: status 200, JSON by content type and by content, and not authentik's "starting"; for a
 * DELETE, status 204. For everything else the error, by the one table between HTTP and kinds. Never throws.
 */
export function decodeResponse(
  response: UpstreamResponse,
  { route, method = "GET" }: { route: string; method?: "GET" | "DELETE" },
): { readonly value: unknown } | AuthentikError {
  const { status, contentType, contentEncoding, upstreamRequestId, body } = response;
  const failure: Failure = (kind, message, options) =>
    new AuthentikError(kind, message, {
      status,
      route,
      retryAfterSeconds: retryAfterSeconds(response.retryAfter),
      upstreamRequestId: REQUEST_ID.test(upstreamRequestId) ? upstreamRequestId : undefined,
      ...options,
    });
  if (contentEncoding !== "" && contentEncoding.toLowerCase() !== "identity") {
    return failure("malformed-response", "authentik's answer is compressed", {
      detail: `Content-Encoding ${CODING.exec(contentEncoding)?.[0] ?? "unknown"}, though only identity was asked for: what stands in front of authentik compresses`,
    });
  }
  if (status === 204 && method === "DELETE") return { value: null };
  if (status !== 200) return refusal(response, failure);
  if (!isJson(contentType)) {
    return failure("malformed-response", "authentik answered 200 with something else than JSON", {
      detail: `${describe(response)}; ${PAGE_INSTEAD_OF_API}`,
    });
  }
  const value = parse(body);
  if (value === undefined) {
    return failure("malformed-response", "authentik answered 200 with broken JSON", {
      detail: describe(response),
    });
  }
  if (isRouterError(value)) {
    // Go routers of 2025.10 and later forget to set the status while the application starts.
    const kind = saysStarting(body) ? "starting" : "unreachable";
    return failure(kind, "authentik answered 200 with an error of its router");
  }
  if (method === "DELETE") return failure("malformed-response", "authentik answered a DELETE with 200");
  return { value };
}

function refusal(response: UpstreamResponse, failure: Failure): AuthentikError {
  const { status } = response;
  const body = isJson(response.contentType) ? parse(response.body) : undefined;
  const said = `authentik answered ${status}`;
  const described = { detail: describe(response) };
  const page = { detail: `${described.detail}; ${PAGE_INSTEAD_OF_API}` };
  // What authentik's API refuses, it says in JSON; what has no `detail` then is of a proxy, a firewall or a login wall.
  const detail = detailOf(body);
  const notTheApi = () => failure("malformed-response", `${said}, but not as its API does`, page);

  if (status >= 300 && status < 400) {
    return failure("redirected", `${said}, which is never followed`, {
      detail:
        "usually a login page or a change of host or scheme: the URL must be the one authentik itself answers at",
    });
  }
  switch (status) {
    case 400:
      if (body !== undefined) return failure("invalid-input", said, { fieldErrors: decodeFieldErrors(body) });
      return PLAIN_HTTP_TO_TLS.test(response.body.slice(0, MAX_PAGE_LENGTH))
        ? failure("misconfigured", said, { detail: SPEAKS_TLS })
        : notTheApi();
    case 401:
    case 403:
    case 404:
      return typeof detail === "string" ? failure(kindOfRefusal(status, detail), said) : notTheApi();
    case 429:
      return failure("rate-limited", said);
    // Of a proxy whose connection to this client was idle: RFC 9110, 15.5.9, says that the request may be repeated.
    case 408:
    case 502:
    case 503:
    case 504:
      return failure(saysStarting(response.body) ? "starting" : "unreachable", said);
  }
  if (status >= 400 && status < 500) return failure("rejected", said, body === undefined ? page : {});
  // Cloudflare's, when it cannot reach what is behind it.
  if (status >= 520 && status <= 530) return failure("unreachable", said, described);
  if (status === 500 && isRecycledWorker(response)) {
    return failure("unreachable", "a worker of authentik ended while it answered", {
      detail: `${described.detail}, without X-authentik-id`,
    });
  }
  if (status >= 500) return failure("upstream-failure", said, described);
  return failure("malformed-response", `${said} to a request`, described);
}

function kindOfRefusal(status: 401 | 403 | 404, detail: string): AuthentikErrorKind {
  if (status === 404) return "not-found";
  return status === 401 || CREDENTIAL_TEXTS.has(detail) ? "unauthenticated" : "forbidden";
}

/** `application/json`, with or without parameters. */
function isJson(contentType: string): boolean {
  return contentType === "application/json" || /^application\/json\s*(;|$)/i.test(contentType);
}

function parse(text: string): unknown {
  try {
    // `unknown` on purpose: the wire decides what it is.
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function detailOf(body: unknown): unknown {
  return isJsonObject(body) ? body["detail"] : undefined;
}

function isRouterError(value: unknown): boolean {
  return isJsonObject(value) && "error" in value && !("pk" in value) && !("results" in value);
}

/** authentik's routers say so in text or JSON, whatever the content type claims. */
function saysStarting(body: string): boolean {
  return body.length < MAX_PAGE_LENGTH && body.includes("authentik starting");
}

/**
 * uvicorn 0.44's own answer for requests in flight when their worker is recycled (release 2026.5, about every thousand
 * requests). authentik's application never saw the end of the request: its own errors carry its id, or are its pages.
 */
function isRecycledWorker({ contentType, upstreamRequestId, body }: UpstreamResponse): boolean {
  return upstreamRequestId === "" && contentType.startsWith("text/plain") && body === "Internal Server Error";
}

/** Facts about an answer that are safe to log: nothing of what it says. */
function describe(response: UpstreamResponse): string {
  const type = /^[\w.+-]+\/[\w.+-]+/.exec(response.contentType)?.[0] ?? "no content type";
  return `${type}, ${response.bytes} bytes`;
}

/** Nobody is told to come back later than this; a header that says more is a mistake or a joke. */
const LONGEST_SECONDS = 3_600;

/**
 * Whole seconds (1 to 3600) that a `Retry-After` header asks for, as seconds or as an HTTP date.
 *
 * @returns undefined when it is absent or not understood
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
function retryAfterSeconds(header: string): number | undefined {
  const text = header.trim();
  if (text === "") return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (httpDate(text) - Date.now()) / 1_000;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(Math.ceil(seconds), 1), LONGEST_SECONDS);
}

function httpDate(text: string): number {
  // The oldest of its three forms does not say that it is in GMT.
  return /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text.replace(/(?: GMT)?$/, " GMT")) : NaN;
}

/** What authentik says about each field of a refused request: lists of sentences, nested as the request was. */
type FieldErrors = string | FieldErrors[] | { [field: string]: FieldErrors };

const MAX_DEPTH = 5;
const MAX_ENTRIES = 50;
const MAX_TEXT_LENGTH = 500;

/** Keys whose value is one text; everywhere else texts stand in lists. */
const TEXT_KEYS: ReadonlySet<string> = new Set(["detail", "code"]);

/**
 * The parts of a 400's body that have the shape of field errors; undefined where there are none.
 * Everything else is left out: what is no sentence about a field may be a value that nobody asked for, even a secret.
 */
function decodeFieldErrors(body: unknown, isSentence = false, depth = 0): FieldErrors | undefined {
  if (typeof body === "string") return isSentence ? shortened(body, MAX_TEXT_LENGTH) : undefined;
  if (depth > MAX_DEPTH || typeof body !== "object" || body === null) return undefined;
  const isList = Array.isArray(body);
  const entries: [string, FieldErrors][] = [];
  const some = isList ? body.slice(0, MAX_ENTRIES) : body;
  for (const [key, value] of Object.entries(some).slice(0, MAX_ENTRIES)) {
    const errors = decodeFieldErrors(value, isList || TEXT_KEYS.has(key), depth + 1);
    if (errors !== undefined) entries.push([shortened(key, MAX_TEXT_LENGTH), errors]);
  }
  if (entries.length === 0) return undefined;
  return isList ? entries.map(([, errors]) => errors) : Object.fromEntries(entries);
}
