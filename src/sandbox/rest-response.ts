import { randomUUID } from "node:crypto";
import type { Release } from "./releases.ts";

/** What the sandbox says to one request, before it becomes bytes. */
export interface SandboxResponse {
  status: number;
  /** JSON of the API · a page with its heading · what the router in front says itself · nothing. */
  body: { json: unknown } | { page: string } | { text: string; type: string } | null;
  headers?: Readonly<Record<string, string>>;
}

/** What the API refuses with; ends a request early, as an exception does in Django. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly response: SandboxResponse;

  /** @param json `{"detail": …}`, or the messages about a parameter */
  constructor(status: number, json: { detail: string } | Record<string, [message: string]>) {
    super(`${status}`);
    this.response = { status, body: { json } };
  }
}

/** For who is known and may not do this. */
export function forbidden(): HttpError {
  return new HttpError(403, { detail: "You do not have permission to perform this action." });
}

/** For an object that is not there, in the words of the release. */
export function noMatch(modelName: string, { since }: Release): HttpError {
  const detail = since("2025.4") ? `No ${modelName} matches the given query.` : "Not found.";
  return new HttpError(404, { detail });
}

/** For a filter by something that is not there. */
export function invalidChoice(parameter: string, choice: string): HttpError {
  const message = `Select a valid choice. ${choice} is not one of the available choices.`;
  return new HttpError(400, { [parameter]: [message] });
}

function encodeBody(
  { body, status }: SandboxResponse,
  { since }: Release,
): { type: string | null; text: string } {
  const page = "text/html; charset=utf-8";
  if (body === null) return { type: status === 204 ? null : page, text: "" };
  if ("text" in body) return body;
  if ("page" in body) {
    return { type: page, text: `<!DOCTYPE html>\n<title>authentik</title>\n<h1>${body.page}</h1>\n` };
  }
  const text = JSON.stringify(body.json);
  if (since("2024.8")) return { type: "application/json; charset=utf-8", text };
  // The older renderer names no charset and escapes what ends lines in JavaScript.
  return { type: "application/json", text: text.replaceAll("\u2028", String.raw`\u2028`) };
}

/** Makes bytes of a response, with the headers of the release. `allow` names the methods of a route, null outside. */
export function encodeResponse(
  response: SandboxResponse,
  { release, allow }: { release: Release; allow: string | null },
): { status: number; headers: Record<string, string>; body: Buffer } {
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
