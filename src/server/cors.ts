import type { IncomingHttpHeaders } from "node:http";

/** Names and values of headers, in turn. */
export type HeaderList = readonly string[];

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
 * What browsers on other origins are told: rules for listed origins, of which `*` stands for all; nothing for others.
 * Credentials are never allowed: browsers send no cookie, and a token stands in a header that the page itself must have.
 * Specification: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function createCors(origins: readonly string[]) {
  const anyOrigin = origins.includes("*");
  const listed: ReadonlySet<string> = new Set(origins);
  // The response differs by origin, also for who gets none.
  const others: HeaderList = origins.length > 0 && !anyOrigin ? ["Vary", "Origin"] : [];

  return {
    /** Headers that every response to this request carries, refusals included: a page could not read it otherwise. */
    headers({ origin }: IncomingHttpHeaders): HeaderList {
      if (origin === undefined) return others;
      if (anyOrigin) return ["Access-Control-Allow-Origin", "*", "Access-Control-Expose-Headers", EXPOSED];
      if (!listed.has(origin)) return others;
      return [...others, "Access-Control-Allow-Origin", origin, "Access-Control-Expose-Headers", EXPOSED];
    },
    /** Headers of the response to an `OPTIONS`, or null where it is no preflight of a listed origin. */
    preflight(headers: IncomingHttpHeaders): HeaderList | null {
      const { origin, "access-control-request-method": method } = headers;
      const asks = origin !== undefined && method !== undefined;
      if (!asks || !(anyOrigin || listed.has(origin))) return null;
      const names = headers["access-control-request-headers"] ?? "";
      const allowed = names.length <= MAX_NAMES_LENGTH && HEADER_NAMES.test(names) ? names : "";
      return allowed === "" ? PREFLIGHT : [...PREFLIGHT, "Access-Control-Allow-Headers", allowed];
    },
  };
}
