import type { ServerResponse } from "node:http";

/** Media types that GraphQL answers are written in. */
export type AnswerMediaType = "application/json" | "application/graphql-response+json";

/** One answer to one request, ready to be written. */
export interface Answer {
  status: number;
  mediaType: AnswerMediaType;
  body: string;
  headers?: Readonly<Record<string, string>>;
}

/** What every answer says, whatever it is: not for shared caches, not to be sniffed, different for each caller. */
export const COMMON_HEADERS: readonly (readonly [string, string])[] = [
  // Some routers' caches look at nothing but these two.
  ["cache-control", "private, no-store"],
  ["vary", "Authorization"],
  ["x-content-type-options", "nosniff"],
];

/**
 * The media type to answer in, or null where the client accepts neither (406).
 *
 * No header, `*` and `application/*` mean `application/json`. Otherwise the better quality wins, and the order in the
 * header where qualities are equal. Only UTF-8 is written.
 * Specification: https://graphql.github.io/graphql-over-http/draft/#sec-Accept
 */
export function negotiate(accept: string | undefined): AnswerMediaType | null {
  if (accept === undefined || accept.trim() === "") return "application/json";
  let best: AnswerMediaType | null = null;
  let bestQuality = 0;
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const mediaType = MEDIA_TYPES.get(type);
    const quality = qualityOf(parameters);
    if (mediaType && quality > bestQuality && acceptsUtf8(parameters)) {
      best = mediaType;
      bestQuality = quality;
    }
  }
  return best;
}

const MEDIA_TYPES: ReadonlyMap<string, AnswerMediaType> = new Map([
  ["*/*", "application/json"],
  ["application/*", "application/json"],
  ["application/json", "application/json"],
  ["application/graphql-response+json", "application/graphql-response+json"],
]);

function qualityOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = text === undefined ? 1 : Number(text.slice(2));
  return Number.isFinite(quality) ? quality : 0;
}

function acceptsUtf8(parameters: readonly string[]): boolean {
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}

/** What an answer says besides itself. */
export interface AnswerEnvelope {
  requestId: string;
  /** Whether the connection ends with it. */
  close: boolean;
}

/** Names and values of an answer's headers, in turn; what HTTP itself needs comes after them. */
export function answerHeaders(
  answer: Answer,
  { requestId, close }: AnswerEnvelope,
  bodyBytes: number = Buffer.byteLength(answer.body),
): string[] {
  const headers = ["content-type", `${answer.mediaType}; charset=utf-8`];
  headers.push("content-length", String(bodyBytes), "x-request-id", requestId);
  for (const [name, value] of COMMON_HEADERS) headers.push(name, value);
  if (answer.headers) for (const [name, value] of Object.entries(answer.headers)) headers.push(name, value);
  if (close) headers.push("connection", "close");
  return headers;
}

/** Writes an answer whole; does nothing when the client has left. */
export function writeAnswer(response: ServerResponse, answer: Answer, envelope: AnswerEnvelope): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, answerHeaders(answer, envelope));
  response.end(answer.body);
}
