import type { IncomingHttpHeaders } from "node:http";

/** Names and values of headers, in turn. */
export type HeaderList = readonly string[];

/** What browsers on other origins are told; nothing for who is not listed. */
export interface Cors {
  /** Headers that every response to this request carries, refusals included: a page could not read it otherwise. */
  headers(request: { headers: IncomingHttpHeaders }): HeaderList;
  /** Headers of the response to a preflight, or null where the request is none of a listed origin. */
  preflight(request: { method?: string | undefined; headers: IncomingHttpHeaders }): HeaderList | null;
}

const EXPOSED = "X-Request-Id, Retry-After";

const PREFLIGHT: HeaderList = [
  "Access-Control-Allow-Methods",
  "GET, POST",
  "Access-Control-Max-Age",
  "600",
  "Vary",
  "Access-Control-Request-Headers",
];

/** Names of headers as a browser lists them. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;
const MAX_NAMES_LENGTH = 2_000;

/**
 * Cross-origin rules for listed origins; `*` stands for all. Credentials are never allowed: browsers send no cookie, and
 * a token stands in a header that the page itself must have.
 * Specification: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function createCors(origins: readonly string[]): Cors {
  const anyOrigin = origins.includes("*");
  const listed: ReadonlySet<string> = new Set(origins);
  // The response differs by origin, also for who gets none.
  const others: HeaderList = origins.length > 0 && !anyOrigin ? ["Vary", "Origin"] : [];

  function headers({ headers: { origin } }: { headers: IncomingHttpHeaders }): HeaderList {
    if (origin === undefined) return others;
    if (anyOrigin) return ["Access-Control-Allow-Origin", "*", "Access-Control-Expose-Headers", EXPOSED];
    if (!listed.has(origin)) return others;
    return [...others, "Access-Control-Allow-Origin", origin, "Access-Control-Expose-Headers", EXPOSED];
  }

  return {
    headers,
    preflight(request) {
      const { origin, "access-control-request-method": method } = request.headers;
      const asks = request.method === "OPTIONS" && origin !== undefined && method !== undefined;
      if (!asks || !(anyOrigin || listed.has(origin))) return null;
      const names = request.headers["access-control-request-headers"] ?? "";
      const allowed = names.length <= MAX_NAMES_LENGTH && HEADER_NAMES.test(names) ? names : "";
      return allowed === "" ? PREFLIGHT : [...PREFLIGHT, "Access-Control-Allow-Headers", allowed];
    },
  };
}
