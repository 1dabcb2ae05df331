import type { ServerResponse } from "node:http";
import Negotiator from "negotiator";
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
  /** Whether nothing more is taken on this connection. Default false. */
  close?: boolean;
}

/** What is refused with 405 as late as this is a mutation by GET. */
export function withAllow(response: GraphQLResponse): GraphQLResponse {
  return response.status === 405 ? { ...response, headers: ["Allow", "POST"] } : response;
}

/** A refusal at HTTP's level. `message` is ours and never quotes the request. */
export interface HttpError {
  status: number;
  code: "BAD_REQUEST" | "UNAUTHENTICATED" | "LIMIT_EXCEEDED" | "OVERLOADED";
  message: string;
  headers?: HeaderList;
  /** As in {@link GraphQLResponse}. */
  close?: boolean;
}

/** A refusal for what is wrong with the request, unless said otherwise. */
export function httpError(status: number, message: string, more: Partial<HttpError> = {}): HttpError {
  return { status, code: "BAD_REQUEST", message, ...more };
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
  { status, mediaType, body, headers = [], close = false }: GraphQLResponse,
  envelope: { requestId: string; cors: HeaderList },
): void {
  if (response.destroyed || response.headersSent) return;
  const lines = ["X-Request-Id", envelope.requestId, ...COMMON_HEADERS, ...headers, ...envelope.cors];
  // RFC 9110, 8.6: a 204 has neither.
  if (status !== 204) {
    lines.push(
      "Content-Type",
      `${mediaType}; charset=utf-8`,
      "Content-Length",
      String(Buffer.byteLength(body)),
    );
  }
  if (close) response.shouldKeepAlive = false;
  response.writeHead(status, lines);
  response.end(body);
}

/** As clients may ask for them; whatever they say of charsets, only UTF-8 is written. The first is answered to any type. */
const OFFERS: ReadonlyMap<string, ResponseMediaType> = new Map(
  (["application/json", "application/graphql-response+json"] as const).flatMap((mediaType) =>
    ["utf-8", "utf8"].map((charset) => [`${mediaType};charset=${charset}`, mediaType]),
  ),
);

/**
 * The media type to answer in, or null where the client accepts neither (406). No header means `application/json`.
 * Specification: https://graphql.github.io/graphql-over-http/draft/#sec-Accept
 */
export function negotiate(accept: string | undefined): ResponseMediaType | null {
  // What nearly every client sends.
  if (accept === undefined || accept === "*/*" || accept === "application/json") return "application/json";
  if (accept.trim() === "") return "application/json";
  const offer = new Negotiator({ headers: { accept } }).mediaType([...OFFERS.keys()]);
  return OFFERS.get(offer ?? "") ?? null;
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
export function statusOf(
  { executed, status: asked, codes }: Formatted,
  mediaType: ResponseMediaType,
): number {
  // What Apollo's clients and gateway expect of a hash that is not known yet; they take anything else for a failure.
  if (executed || codes[0] === "PERSISTED_QUERY_NOT_FOUND") return 200;
  if (asked !== null) return asked;
  const status = STATUS_OF_CODE[codes[0] ?? ""];
  return status ?? (mediaType === "application/graphql-response+json" ? 400 : 200);
}
