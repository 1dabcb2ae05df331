import type { IncomingMessage } from "node:http";
import { parse } from "content-type";
import { type HttpError, httpError } from "./graphql-response.ts";

/** What `/graphql` accepts. */
export interface RequestGuardOptions {
  /** Header lines; Node itself silently drops those after the 1,000th, an `Authorization` among them. */
  maxHeaderCount: number;
  /** Host names without port, lower case; empty: any well-formed one. */
  allowedHosts: readonly string[];
  /** Whether `OPTIONS` is answered, for browsers on other origins. */
  preflight: boolean;
  /**
   * Whether reaching the gateway suffices to be let in. Then a page of another origin could make a visitor's browser
   * ask by GET; operations by GET need a header that browsers send to other origins only after asking.
   */
  openAccess: boolean;
}

/** Letters that `new URL` takes for a host, or an IPv6 address; a port of at most five digits. */
const HOST = /^(?<name>[a-z0-9_](?:[a-z0-9._-]{0,253})|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

/** Headers that routers and clients send for the purpose: no browser adds them to another origin without asking it. */
const UNFORGEABLE_HEADERS = ["apollo-require-preflight", "x-apollo-operation-name"];

/** A body this long is not worth reading to its end once it is refused. */
const MAX_DISCARDED_BYTES = 65_536;

/** Where a request goes: its URL, parsed once for everyone who looks at it. */
export interface RequestTarget {
  path: string;
  search: URLSearchParams;
}

const NO_SEARCH = new URLSearchParams();

/** Null: proxies' absolute form and `//host/path`, which would let the request choose the host that URLs are built on. */
export function parseTarget({ url = "" }: { url?: string | undefined }): RequestTarget | null {
  if (!url.startsWith("/") || url.startsWith("//") || url.startsWith("/\\")) return null;
  const query = url.indexOf("?");
  if (query === -1) return { path: url, search: NO_SEARCH };
  return { path: url.slice(0, query), search: new URLSearchParams(url.slice(query)) };
}

/**
 * Why a request to `/graphql` is refused before anything of it is read, or null.
 * Looks at the request line and headers only; costs no I/O and keeps nothing.
 */
export function guardRequest(
  request: IncomingMessage,
  target: RequestTarget | null,
  options: RequestGuardOptions,
): HttpError | null {
  const refusal =
    guardHeaderCount(request, options) ??
    (target === null ? httpError(400, "The request target must be a path.") : null) ??
    guardHost(request, options) ??
    guardAuthorization(request) ??
    guardMethod(request, options) ??
    guardExpectation(request) ??
    guardOrigin(request, target, options) ??
    guardBody(request);
  if (refusal === null || !hasLongBody(request)) return refusal;
  return { ...refusal, close: true };
}

function guardHeaderCount({ rawHeaders }: IncomingMessage, options: RequestGuardOptions): HttpError | null {
  if (rawHeaders.length / 2 <= options.maxHeaderCount) return null;
  return httpError(431, `Send at most ${options.maxHeaderCount} header lines.`, { close: true });
}

function guardHost(request: IncomingMessage, { allowedHosts }: RequestGuardOptions): HttpError | null {
  const { host } = request.headers;
  const name = host === undefined ? undefined : HOST.exec(host)?.groups?.["name"];
  if (name === undefined || occurrences(request, "host") !== 1 || !URL.canParse(`http://${host}/`))
    return httpError(400, "The Host header must be one host name or address with an optional port.");
  const known = allowedHosts.length === 0 || allowedHosts.includes(name.toLowerCase());
  return known ? null : httpError(421, "This host name is not served here.");
}

/** Node would take the first of two, while a proxy in front may have checked the last. */
function guardAuthorization(request: IncomingMessage): HttpError | null {
  if (occurrences(request, "authorization") <= 1) return null;
  const headers = ["WWW-Authenticate", "Bearer"];
  return httpError(401, "Send one Authorization header, not several.", { code: "UNAUTHENTICATED", headers });
}

function guardMethod({ method }: IncomingMessage, { preflight }: RequestGuardOptions): HttpError | null {
  if (method === "POST" || method === "GET" || (preflight && method === "OPTIONS")) return null;
  const allow = preflight ? "GET, POST, OPTIONS" : "GET, POST";
  return httpError(405, `Use one of ${allow}.`, { headers: ["Allow", allow] });
}

/** What node:http meets by itself; it would refuse everything else in no order, and unseen by log and limits. */
const EXPECTATION = /^100-continue$/i;

function guardExpectation({ headers: { expect } }: IncomingMessage): HttpError | null {
  if (expect === undefined || EXPECTATION.test(expect)) return null;
  return httpError(417, "Expect nothing but 100-continue.");
}

function guardOrigin(
  { method, headers }: IncomingMessage,
  target: RequestTarget | null,
  { openAccess }: RequestGuardOptions,
): HttpError | null {
  const search = target?.search;
  if (!openAccess || method !== "GET" || !(search?.has("query") || search?.has("extensions"))) return null;
  if (UNFORGEABLE_HEADERS.some((name) => headers[name] !== undefined) || isJson(headers["content-type"]))
    return null;
  return httpError(400, "Send operations by POST, or with the header apollo-require-preflight: true.");
}

function guardBody(request: IncomingMessage): HttpError | null {
  const { method, headers } = request;
  if (method !== "POST") return null;
  if (!/^chunked$/i.test(headers["transfer-encoding"] ?? "chunked"))
    return httpError(501, "Send the body with its length or in chunks, and in no other transfer coding.");
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity")
    return httpError(415, "Send the body without compression.", { headers: ["Accept-Encoding", "identity"] });
  if (isJson(headers["content-type"]) && occurrences(request, "content-type") === 1) return null;
  const accepted = ["Accept-Post", "application/json"];
  return httpError(415, "Send the body as application/json in UTF-8.", { headers: accepted });
}

/** Exactly `application/json`: a browser cannot send it to another origin without asking first. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  const { type, parameters } = parse(contentType);
  // What is said twice, or in quotes that do not end, others may read otherwise.
  const charsets = contentType.match(/charset\s*=/gi)?.length ?? 0;
  const charset = parameters["charset"] ?? (charsets === 0 ? "utf-8" : "");
  return type === "application/json" && charsets <= 1 && /^utf-?8$/i.test(charset);
}

function occurrences({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.length === name.length && rawHeaders[index]?.toLowerCase() === name) count++;
  return count;
}

function hasLongBody({ headers }: IncomingMessage): boolean {
  return (
    headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > MAX_DISCARDED_BYTES
  );
}
