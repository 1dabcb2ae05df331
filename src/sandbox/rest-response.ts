import { randomUUID } from "node:crypto";
import type { Release } from "./releases.ts";

/** What the sandbox says to one request, before it becomes bytes. */
export interface SandboxResponse {
  status: number;
  /** JSON of the API · a page with its heading · what the router in front says itself · nothing. */
  body: { json: unknown } | { page: string } | { text: string; type: string } | null;
  headers?: Readonly<Record<string, string>>;
  /** Rows that a list serialized, for its cost; absent for everything else. */
  rows?: number;
}

/** Ends a request early with a response of its own, as an exception does in Django. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly response: SandboxResponse;

  constructor(response: SandboxResponse) {
    super(`${response.status}`);
    this.response = response;
  }
}

/** A response in JSON. */
export function jsonResponse(
  value: unknown,
  { status = 200, ...rest }: Partial<Omit<SandboxResponse, "body">> = {},
): SandboxResponse {
  return { status, body: { json: value }, ...rest };
}

/** authentik's error page with its heading. */
export function pageResponse(status: number, heading: string): SandboxResponse {
  return { status, body: { page: heading } };
}

function apiError(status: number, detail: string): HttpError {
  return new HttpError(jsonResponse({ detail }, { status }));
}

/** What the API refuses with, in its words: `{"detail": …}`, or the messages about a parameter. */
export const httpErrors = {
  anonymous: () => apiError(403, "Authentication credentials were not provided."),
  credentials: (detail: string) => apiError(403, detail),
  forbidden: () => apiError(403, "You do not have permission to perform this action."),
  notFound: (detail = "Not found.") => apiError(404, detail),
  /** An object that is not there, in the words of the release. */
  noMatch: (modelName: string, { since }: Release) =>
    apiError(404, since("2025.4") ? `No ${modelName} matches the given query.` : "Not found."),
  parameter: (name: string, message: string) =>
    new HttpError(jsonResponse({ [name]: [message] }, { status: 400 })),
  invalidChoice: (name: string, choice: string) =>
    httpErrors.parameter(name, `Select a valid choice. ${choice} is not one of the available choices.`),
};

/** A response as bytes with its headers. */
export interface EncodedResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

const pageText = (heading: string): string =>
  `<!DOCTYPE html>\n<title>authentik</title>\n<h1>${heading}</h1>\n`;

function encodeBody(
  { body, status }: SandboxResponse,
  { since }: Release,
): { type: string | null; text: string } {
  const page = "text/html; charset=utf-8";
  if (body === null) return { type: status === 204 ? null : page, text: "" };
  if ("page" in body) return { type: page, text: pageText(body.page) };
  if ("text" in body) return body;
  const text = JSON.stringify(body.json);
  if (since("2024.8")) return { type: "application/json; charset=utf-8", text };
  // The older renderer names no charset and escapes what ends lines in JavaScript.
  return { type: "application/json", text: text.replaceAll("\u2028", String.raw`\u2028`) };
}

/** Makes bytes of a response, with the headers of the release. `allow` names the methods of a route, null outside. */
export function encodeResponse(
  response: SandboxResponse,
  { release, allow }: { release: Release; allow: string | null },
): EncodedResponse {
  const { type, text } = encodeBody(response, release);
  const body = Buffer.from(text);
  const isOfRouter = response.body !== null && "text" in response.body;
  const isOfApi = response.status === 204 || (response.body !== null && "json" in response.body);
  const localized = release.since("2025.10");
  return {
    status: response.status,
    headers: {
      ...(type !== null && { "content-type": type }),
      ...(isOfApi && allow !== null && { allow }),
      ...(!isOfRouter && {
        vary: localized ? "Accept-Language, Cookie" : "Cookie",
        ...(localized && { "content-language": "en" }),
        "x-authentik-id": randomUUID().replaceAll("-", ""),
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
      }),
      "x-powered-by": "authentik",
      ...response.headers,
      "content-length": String(body.length),
    },
    body,
  };
}
