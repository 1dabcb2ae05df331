import type { ServerResponse } from "node:http";
import {
  type AnswerHandler,
  type FakeAuthentik,
  sendJson,
  sendPage,
  startFakeAuthentik,
} from "../../support/fake-authentik.ts";
import { connectionBody, listBody, plexSourceBody, sourceBody, userBody } from "../../support/wire-bodies.ts";

/** Callers of the authentik below: what a request says in `Authorization`. */
export const CALLERS = {
  administrator: "Bearer token-of-administrator",
  /** Sees connections 1 to 10. */
  alice: "Bearer token-of-alice",
  expired: "Bearer expired-token",
  nobody: null,
} as const;

/** Keys whose retrieval fails, each in its own way. */
export const FAILING = {
  61: "FORBIDDEN",
  62: "UPSTREAM_ERROR",
  63: "UPSTREAM_INVALID_RESPONSE",
  64: "RATE_LIMITED",
  65: "UPSTREAM_REDIRECTED",
  66: "UPSTREAM_REJECTED",
} as const;

/** A connection whose source has a policy engine mode that no release knows: one field of it fails. */
export const UNKNOWN_MODE = 67;

/** What `id` arguments are asked with: there, not there, failing, no key at all. */
// prettier-ignore
export const IDS: readonly unknown[] = [
  1, 2, 3, 5, 8, 11, 40, "1", "2", "5", "9", "40", 900, "901",
  ...Object.keys(FAILING), String(UNKNOWN_MODE),
  "abc", "01", "-1", "1.5", "2147483648", "../../core/users/1", "",
];

/** An authentik with 40 connections, and with trouble at the keys above. */
export function startHostileAuthentik(): Promise<FakeAuthentik> {
  return startFakeAuthentik({
    pks: [...Array.from({ length: 40 }, (_, index) => index + 1), UNKNOWN_MODE],
    visible: (authorization, pk) => authorization !== CALLERS.alice || pk <= 10,
    answer: trouble,
  });
}

const trouble: AnswerHandler = (request, response, fallback) => {
  const authorization = request.headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
  if (authorization === CALLERS.expired) {
    sendJson(response, 403, { detail: "Token invalid/expired" });
    return;
  }
  if (request.path.startsWith("/api/v3/sources/all/?")) {
    sendJson(response, 200, listBody([sourceBody()]));
    return;
  }
  const path = request.path.replace("/api/v3", "");
  const user = /^\/core\/users\/(\d+)\/$/.exec(path)?.[1];
  if (path.startsWith("/sources/plex/?")) sendJson(response, 200, listBody([plexSourceBody()]));
  else if (path === "/core/users/me/")
    sendJson(response, 200, { user: userBody(41, "alice", { groups: [] }) });
  else if (user !== undefined) sendJson(response, 200, userBody(Number(user), `user${user}`));
  else if (path.startsWith("/core/users/?")) sendJson(response, 200, listBody([userBody(41, "alice")]));
  else answerConnection(path, response, fallback);
};

function answerConnection(path: string, response: ServerResponse, fallback: () => void): void {
  switch (Number(/\/plex\/(\d+)\/$/.exec(path)?.[1])) {
    case 61:
      sendJson(response, 403, { detail: "You do not have permission to perform this action." });
      return;
    case 62:
      sendPage(response, 500, "Server Error");
      return;
    case 63:
      sendJson(response, 200, { hello: 1 });
      return;
    case 64:
      sendJson(response, 429, { detail: "Request was throttled." }, { "Retry-After": "1" });
      return;
    case 65:
      response.writeHead(302, { Location: "/if/flow/default-authentication-flow/" });
      response.end();
      return;
    case 66:
      sendJson(response, 409, { detail: "Conflict." });
      return;
    case UNKNOWN_MODE:
      sendJson(
        response,
        200,
        connectionBody(UNKNOWN_MODE, { source: sourceBody({ policy_engine_mode: "most" }) }),
      );
      return;
    default:
      fallback();
  }
}
