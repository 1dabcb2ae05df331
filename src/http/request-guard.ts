import type { RequestHead } from "./request-head.ts";

/** An answer given instead of an operation. `message` is ours and never quotes the request. */
export interface Refusal {
  status: number;
  code: "BAD_REQUEST" | "UNAUTHENTICATED" | "LIMIT_EXCEEDED" | "OVERLOADED";
  message: string;
  headers: Readonly<Record<string, string>>;
}

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

/**
 * Why a request to `/graphql` is refused before anything of it is read, or null.
 * Looks at the request line and headers only; costs no I/O and keeps nothing.
 */
export function guardRequest(request: RequestHead, options: RequestGuardOptions): Refusal | null {
  const refusal =
    guardHeaderCount(request, options) ??
    guardTarget(request) ??
    guardHost(request, options) ??
    guardAuthorization(request) ??
    guardMethod(request, options) ??
    guardOrigin(request, options) ??
    guardBody(request);
  if (refusal === null || !hasLongBody(request)) return refusal;
  return { ...refusal, headers: { ...refusal.headers, connection: "close" } };
}

function guardHeaderCount({ rawHeaders }: RequestHead, options: RequestGuardOptions): Refusal | null {
  if (rawHeaders.length / 2 <= options.maxHeaderCount) return null;
  return badRequest(431, `Send at most ${options.maxHeaderCount} header lines.`, { connection: "close" });
}

/** Proxies' absolute form and `//host/path` would let the request choose the host that URLs are built on. */
function guardTarget({ url = "" }: RequestHead): Refusal | null {
  const path = url.startsWith("/") && !url.startsWith("//") && !url.startsWith("/\\");
  return path ? null : badRequest(400, "The request target must be a path.");
}

function guardHost(request: RequestHead, { allowedHosts }: RequestGuardOptions): Refusal | null {
  const { host } = request.headers;
  const name = host === undefined ? undefined : HOST.exec(host)?.groups?.["name"];
  if (name === undefined || occurrences(request, "host") !== 1 || !URL.canParse(`http://${host}/`))
    return badRequest(400, "The Host header must be one host name or address with an optional port.");
  const known = allowedHosts.length === 0 || allowedHosts.includes(name.toLowerCase());
  return known ? null : badRequest(421, "This host name is not served here.");
}

/** Node would take the first of two, while a proxy in front may have checked the last. */
function guardAuthorization(request: RequestHead): Refusal | null {
  if (occurrences(request, "authorization") <= 1) return null;
  return {
    status: 401,
    code: "UNAUTHENTICATED",
    message: "Send one Authorization header, not several.",
    headers: { "www-authenticate": "Bearer" },
  };
}

function guardMethod({ method }: RequestHead, { preflight }: RequestGuardOptions): Refusal | null {
  if (method === "POST" || method === "GET" || (preflight && method === "OPTIONS")) return null;
  const allow = preflight ? "GET, POST, OPTIONS" : "GET, POST";
  return badRequest(405, `Use one of ${allow}.`, { allow });
}

function guardOrigin({ method, url = "", headers }: RequestHead, options: RequestGuardOptions) {
  if (!options.openAccess || method !== "GET" || !url.includes("?")) return null;
  const parameters = new URLSearchParams(url.slice(url.indexOf("?")));
  if (!parameters.has("query") && !parameters.has("extensions")) return null;
  if (UNFORGEABLE_HEADERS.some((name) => headers[name] !== undefined) || isJson(headers["content-type"]))
    return null;
  return badRequest(400, "Send operations by POST, or with the header apollo-require-preflight: true.");
}

function guardBody({ method, headers }: RequestHead): Refusal | null {
  if (method !== "POST") return null;
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity")
    return badRequest(415, "Send the body without compression.", { "accept-encoding": "identity" });
  return isJson(headers["content-type"])
    ? null
    : badRequest(415, "Send the body as application/json in UTF-8.", { "accept-post": "application/json" });
}

/** Exactly `application/json`: a browser cannot send it to another origin without asking first. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  const [mediaType = "", ...parameters] = contentType.toLowerCase().split(";");
  if (mediaType.trim() !== "application/json") return false;
  return parameters
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter.startsWith("charset"))
    .every((parameter) => /^charset="?utf-?8"?$/.test(parameter));
}

function occurrences({ rawHeaders }: RequestHead, name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === name) count++;
  return count;
}

function hasLongBody({ headers }: RequestHead): boolean {
  return (
    headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > MAX_DISCARDED_BYTES
  );
}

function badRequest(status: number, message: string, headers: Record<string, string> = {}): Refusal {
  return { status, code: "BAD_REQUEST", message, headers };
}
