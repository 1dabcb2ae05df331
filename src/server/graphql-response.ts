import type { ServerResponse } from "node:http";
import type { Formatted } from "../graphql/format.ts";
import type { HeaderList } from "./cors.ts";

/** Media types that GraphQL responses are written in. */
export type ResponseMediaType = "application/json" | "application/graphql-response+json";

/** A whole response to one request, ready to be written. */
export interface GraphQLResponse {
  status: number;
  mediaType: ResponseMediaType;
  body: string;
  /** Besides those that every response has. */
  headers?: HeaderList;
}

/** A refusal at HTTP's level. `message` is ours and never quotes the request. */
export interface HttpError {
  status: number;
  code: "BAD_REQUEST" | "UNAUTHENTICATED" | "LIMIT_EXCEEDED" | "OVERLOADED";
  message: string;
  headers?: HeaderList;
}

/** What every response says, whatever it is: not for shared caches, not to be sniffed, different for each caller. */
const COMMON_HEADERS: HeaderList = [
  // Some routers' caches look at nothing but these two.
  "Cache-Control",
  "private, no-store",
  "Vary",
  "Authorization",
  "X-Content-Type-Options",
  "nosniff",
];

/** Writes a response whole; does nothing when the client has left. */
export function writeResponse(
  response: ServerResponse,
  { status, mediaType, body, headers = [] }: GraphQLResponse,
  envelope: { requestId: string; close: boolean; cors: HeaderList },
): void {
  if (response.destroyed || response.headersSent) return;
  const lines = ["Content-Type", `${mediaType}; charset=utf-8`];
  lines.push("Content-Length", String(Buffer.byteLength(body)), "X-Request-Id", envelope.requestId);
  lines.push(...COMMON_HEADERS, ...headers, ...envelope.cors);
  if (envelope.close) lines.push("Connection", "close");
  response.writeHead(status, lines);
  response.end(body);
}

/**
 * The media type to answer in, or null where the client accepts neither (406). The best quality wins, and for equal ones
 * the order in the header; the quality of a type is that of the most specific range that covers it (RFC 9110, 12.5.1).
 * No header means `application/json`. Only UTF-8 is written.
 * Specification: https://graphql.github.io/graphql-over-http/draft/#sec-Accept
 */
export function negotiate(accept: string | undefined): ResponseMediaType | null {
  // What nearly every client sends.
  if (accept === undefined || accept === "*/*" || accept === "application/json") return "application/json";
  if (accept.trim() === "") return "application/json";
  const ranges = accept.toLowerCase().split(",").map(parseRange);
  let best: { mediaType: ResponseMediaType; quality: number; index: number } | null = null;
  for (const mediaType of MEDIA_TYPES) {
    const index = mostSpecific(ranges, mediaType);
    const quality = ranges[index]?.quality ?? 0;
    if (quality === 0) continue;
    if (!best || quality > best.quality || (quality === best.quality && index < best.index))
      best = { mediaType, quality, index };
  }
  return best?.mediaType ?? null;
}

const MEDIA_TYPES: readonly ResponseMediaType[] = ["application/json", "application/graphql-response+json"];

interface MediaRange {
  type: string;
  /** 0 also for ranges in another charset. */
  quality: number;
}

function parseRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim());
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = q === undefined ? 1 : Number(q.slice(2));
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  const utf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  return { type, quality: utf8 && Number.isFinite(quality) ? quality : 0 };
}

/** Index of the most specific range that covers the type; -1: none does. */
function mostSpecific(ranges: readonly MediaRange[], mediaType: ResponseMediaType): number {
  for (const covering of [mediaType, "application/*", "*/*"]) {
    const index = ranges.findIndex(({ type }) => type === covering);
    if (index >= 0) return index;
  }
  return -1;
}

/** Statuses of requests that never became an execution, for clients that understand them. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  INTERNAL_SERVER_ERROR: 500,
  OVERLOADED: 503,
  UNAUTHENTICATED: 401,
  BAD_REQUEST: 400,
};

/**
 * The HTTP status of a GraphQL result.
 *
 * An execution is 200, whatever its fields came to. A request that is no well-formed GraphQL request is 4xx in both
 * media types; a well-formed one that cannot be executed is 4xx in `application/graphql-response+json` and 200 in
 * `application/json`, whose clients cannot tell whose 4xx it would be.
 * Specification: https://graphql.github.io/graphql-over-http/draft/#sec-Status-Codes
 */
export function statusOf({ executed, http, codes }: Formatted, mediaType: ResponseMediaType): number {
  // What Apollo's clients and gateway expect of a hash that is not known yet; they take anything else for a failure.
  if (executed || codes[0] === "PERSISTED_QUERY_NOT_FOUND") return 200;
  if (http) return http.status;
  const status = STATUS_OF_CODE[codes[0] ?? ""];
  return status ?? (mediaType === "application/graphql-response+json" ? 400 : 200);
}
