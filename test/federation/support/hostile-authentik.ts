import { REFUSED } from "../../entities/representations.ts";
import {
  type AnswerHandler,
  type FakeAuthentik,
  sendJson,
  startFakeAuthentik,
} from "../../support/fake-authentik.ts";
import {
  connectionBody,
  FAMILY_PK,
  listBody,
  plexSourceBody,
  sourceBody,
  userBody,
} from "../../support/wire-bodies.ts";

/** Callers of the authentik below: what a request says in `Authorization`. */
export const CALLERS = {
  administrator: "Bearer token-of-administrator",
  /** Sees connections 1 to 10. */
  alice: "Bearer token-of-alice",
  expired: "Bearer expired-token",
  nobody: null,
} as const;

/** A connection that leads to a login page. */
const REDIRECTED = 66;

/** Keys whose retrieval fails, each in its own way, and the codes. */
export const FAILING: Readonly<Record<number, string>> = {
  ...Object.fromEntries(Object.entries(REFUSED).map(([pk, { code }]) => [pk, code])),
  [REDIRECTED]: "UPSTREAM_REDIRECTED",
};

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

/** What is there besides connections. */
const OTHERS: readonly (readonly [path: RegExp, body: (pk: number) => unknown])[] = [
  [/^\/sources\/all\/\?/, () => listBody([sourceBody()])],
  [/^\/sources\/plex\/\?/, () => listBody([plexSourceBody()])],
  [
    /^\/core\/users\/me\/$/,
    () => ({ user: userBody(41, "alice", { groups: [{ pk: FAMILY_PK, name: "family" }] }) }),
  ],
  [/^\/core\/users\/(\d+)\/$/, (pk) => userBody(pk, `user${pk}`)],
  [/^\/core\/users\/\?/, () => listBody([userBody(41, "alice")])],
];

const trouble: AnswerHandler = (request, response, fallback) => {
  const path = request.path.replace("/api/v3", "");
  const authorization = request.headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
  const pk = Number(/\/(\d+)\/$/.exec(path)?.[1]);
  const body = OTHERS.find(([pattern]) => pattern.test(path))?.[1];
  const refusal = REFUSED[pk];
  if (authorization === CALLERS.expired) sendJson(response, 403, { detail: "Token invalid/expired" });
  else if (body) sendJson(response, 200, body(pk));
  else if (refusal) sendJson(response, refusal.status, refusal.body);
  else if (pk === REDIRECTED)
    response.writeHead(302, { Location: "/if/flow/default-authentication-flow/" }).end();
  else if (pk === UNKNOWN_MODE)
    sendJson(response, 200, connectionBody(pk, { source: sourceBody({ policy_engine_mode: "most" }) }));
  else fallback();
};
