import { randomUUID } from "node:crypto";
import type { Answer } from "./answer.ts";
import { preferredLanguage } from "./negotiation.ts";
import type { ReleaseTraits } from "./releases.ts";

/** An answer as bytes with its headers. */
export interface WrittenAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

const routerHeaders = { "x-powered-by": "authentik" };

/** The headers that come with every answer of authentik itself. */
function applicationHeaders(
  acceptLanguage: string | undefined,
  { localized }: ReleaseTraits,
): WrittenAnswer["headers"] {
  return {
    vary: localized ? "Accept-Language, Cookie" : "Cookie",
    ...(localized && { "content-language": preferredLanguage(acceptLanguage) }),
    "x-authentik-id": randomUUID().replaceAll("-", ""),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
  };
}

function pageText(heading: string): string {
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head><title>authentik</title></head>",
    `<body><h1>${heading}</h1></body>`,
    "</html>",
    "",
  ].join("\n");
}

/** JSON as the renderer of the release writes it. */
function jsonText(value: unknown, { renderer }: ReleaseTraits): string {
  const text = JSON.stringify(value);
  if (renderer === "orjson") return text;
  return text.replaceAll("\u2028", String.raw`\u2028`).replaceAll("\u2029", String.raw`\u2029`);
}

function write(body: Answer["body"], traits: ReleaseTraits): { type: string; text: string } {
  const page = "text/html; charset=utf-8";
  if (body === null) return { type: page, text: "" };
  if ("page" in body) return { type: page, text: pageText(body.page) };
  if ("text" in body) return body;
  const type = traits.renderer === "orjson" ? "application/json; charset=utf-8" : "application/json";
  return { type, text: jsonText(body.json, traits) };
}

/** Makes bytes of an answer, with the headers of the release. */
export function writeAnswer(
  answer: Answer,
  {
    traits,
    allow,
    acceptLanguage,
  }: { traits: ReleaseTraits; allow: string | undefined; acceptLanguage: string | undefined },
): WrittenAnswer {
  const { type, text } = write(answer.body, traits);
  const body = Buffer.from(text);
  const isApiAnswer = answer.body !== null && "json" in answer.body;
  const isOfRouter = answer.body !== null && "text" in answer.body;
  return {
    status: answer.status,
    headers: {
      "content-type": type,
      ...(isApiAnswer && allow !== undefined && { allow }),
      ...(!isOfRouter && applicationHeaders(acceptLanguage, traits)),
      ...routerHeaders,
      ...answer.headers,
      "content-length": String(body.length),
    },
    body,
  };
}
