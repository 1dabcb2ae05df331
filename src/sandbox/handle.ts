import type { IncomingMessage } from "node:http";
import type { Answer } from "./answer.ts";
import { Refusal, jsonAnswer, pageAnswer } from "./answer.ts";
import type { Directory } from "./directory.ts";
import { negotiate } from "./negotiation.ts";
import { parseQuery } from "./query.ts";
import type { ReleaseTraits } from "./releases.ts";
import type { Route } from "./routes.ts";
import { ROUTES } from "./routes.ts";
import { authenticate, refuseAnonymous } from "./tokens.ts";

const apiPrefix = "/api/v3";

/** Decodes what can be decoded and leaves the rest, as Django does. */
function decodePath(path: string): string {
  const bytes = path.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** What stands beside the API: health checks, the way to the login, and a page for everything else. */
function answerBeside(path: string, { healthStatus }: ReleaseTraits): Answer {
  if (path === "/-/health/live/" || path === "/-/health/ready/") return { status: healthStatus, body: null };
  if (path === "/") {
    return { status: 302, body: null, headers: { location: "/flows/-/default/authentication/?next=/" } };
  }
  return pageAnswer(404, "Not Found");
}

function findRoute(path: string): { route: Route; key: string } | null {
  if (!path.startsWith(apiPrefix)) return null;
  for (const route of ROUTES) {
    const match = route.pattern.exec(path.slice(apiPrefix.length));
    if (match !== null) return { route, key: match[1] ?? "" };
  }
  return null;
}

function answerRoute(
  { route, key }: { route: Route; key: string },
  request: IncomingMessage,
  { queryText, directory, traits }: { queryText: string; directory: Directory; traits: ReleaseTraits },
): Answer {
  const query = parseQuery(queryText);
  negotiate(request.headers.accept, query.get("format"));
  const caller = authenticate(request.headersDistinct["authorization"], directory);
  const call = { caller, key, query, directory, traits };
  if (request.method === "GET" || request.method === "HEAD") return route.get(call);
  if (request.method === "OPTIONS") return route.options(call);
  if (caller === null) throw refuseAnonymous();
  return {
    ...jsonAnswer({ detail: `Method "${request.method}" not allowed.` }, { status: 405 }),
    headers: { allow: "GET, HEAD, OPTIONS" },
  };
}

/**
 * What authentik would answer to a request. Its order: route, format, credentials, permission, filters, object.
 * @returns the answer with the value of its `Allow` header, if it has one
 */
export function handleRequest(
  request: IncomingMessage,
  { directory, traits }: { directory: Directory; traits: ReleaseTraits },
): { answer: Answer; allow: string | undefined } {
  const [rawPath = "", ...rest] = (request.url ?? "").split("?");
  const path = decodePath(rawPath);
  const found = findRoute(path);
  if (found === null) return { answer: answerBeside(path, traits), allow: undefined };
  const { allow } = found.route;
  try {
    const queryText = rest.join("?");
    return { answer: answerRoute(found, request, { queryText, directory, traits }), allow };
  } catch (error) {
    if (error instanceof Refusal) return { answer: error.answer, allow };
    throw error;
  }
}
