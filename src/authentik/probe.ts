import type { Probe } from "./client.ts";
import { toNetworkError } from "./network-errors.ts";
import { readAnswer } from "./answers.ts";
import { AuthentikError } from "./errors.ts";
import type { Answer } from "./exchange.ts";
import type { Transport } from "./transport.ts";

/** Cheap for authentik: refused before any query of ours runs, by JSON that only an authentik sends. */
const PATH = "/sources/user_connections/plex/?page_size=1";
const ROUTE = "/sources/user_connections/plex/";

/** Asks for a list without credentials, as which every authentik says 403 in JSON, and words what came instead. */
export function probeApi(
  transport: Transport,
  { timeoutMs, requestId, url }: { timeoutMs: number; requestId: string; url: URL },
): Promise<Probe> {
  return new Promise((resolve) => {
    let cancel: (() => void) | null = null;
    const finish = (problem: string): void => {
      clearTimeout(timer);
      resolve({ ok: problem === "", problem });
    };
    const timer = setTimeout(() => {
      finish(
        `${where(url)} gave no answer within ${timeoutMs} ms: check its address, and what stands in between`,
      );
      cancel?.();
    }, timeoutMs);
    const head = { path: PATH, requestId, authorization: null };
    cancel = transport.send(head, {
      onSent() {},
      onAnswer: (answer) => finish(problemOf(answer, url)),
      onFailure: (error) => finish(`${where(url)}: ${toNetworkError(error, ROUTE).detail ?? error.name}`),
    });
  });
}

function problemOf(answer: Answer, url: URL): string {
  const error = readAnswer(answer, ROUTE);
  if (!(error instanceof AuthentikError)) {
    return `${where(url)} answers a list without credentials: that is no authentik`;
  }
  switch (error.kind) {
    case "unauthenticated":
      return "";
    case "starting":
      return `${where(url)}: authentik is still starting`;
    case "unreachable":
      return `${where(url)} answers ${answer.status}: authentik is down behind its router or proxy`;
    case "redirected":
      return `${where(url)} redirects (${answer.status}): use the URL it redirects to, or take the login page in front of the API away`;
    case "upstream-failure":
      return `${where(url)} answers ${answer.status}: see authentik's own log`;
    case "malformed-response":
      return answer.status === 404
        ? `${where(url)} has no API at ${apiPath(url)}: is a path prefix missing or wrong?`
        : `${where(url)} answers with a page instead of the API: is this authentik, and is the path prefix right?`;
    default:
      return `${where(url)} answers ${answer.status} where authentik's API says 403: is this authentik, and what stands in front of it?`;
  }
}

function where(url: URL): string {
  return `${url.origin}${url.pathname === "/" ? "" : url.pathname}`;
}

function apiPath(url: URL): string {
  return `${url.pathname.replace(/\/+$/, "")}/api/v3/`;
}
