import { REFUSED } from "../../entities/representations.ts";
import {
  type AnswerHandler,
  type FakeAuthentik,
  sendJson,
  startFakeAuthentik,
} from "../../support/fake-authentik.ts";
import { createTestDirectory } from "../../support/test-directory.ts";
import { createRandom } from "../../support/random.ts";
import { connectionBody, sourceBody } from "../../support/wire-bodies.ts";

/** Who asks: most as the administrator; some as Alice, who sees her own connections, with a dead token, or without any. */
export function callerOf(seed: number): string | null {
  const tokens = [...Array.from({ length: 7 }, () => "administrator"), "alice", "alice"];
  const callers = [...tokens.map((name) => `Bearer token-of-${name}`), "Bearer expired-token-of-alice", null];
  return createRandom(seed ^ 0x5e_ed).pick(callers);
}

/** A connection that leads to a login page. */
const REDIRECTED = 66;

/** A connection whose source has a policy engine mode that no release knows: one field of it fails. */
const UNKNOWN_MODE = 67;

/** What `id` arguments are asked with: there, not there, failing, no key at all. */
// prettier-ignore
export const IDS: readonly unknown[] = [
  5, 6, 7, 1001, 1002, 1011, 1040, "5", "6", "1001", "1009", "1040", 900, "901",
  ...Object.keys(REFUSED), String(REDIRECTED), String(UNKNOWN_MODE),
  "abc", "01", "-1", "1.5", "2147483648", "../../core/users/1", "",
];

/** An authentik with a small directory and 40 viewers, and with trouble at the keys above. */
export function startHostileAuthentik(): Promise<FakeAuthentik> {
  const directory = createTestDirectory({ viewers: 40 });
  return startFakeAuthentik({ sandbox: { release: "2025.4", directory }, answer: trouble });
}

const trouble: AnswerHandler = ({ path, authorization = "" }, response, fallback) => {
  // A dead token is refused before anything else is looked at.
  const pk = authorization.includes("expired") ? 0 : Number(/\/plex\/(\d+)\/$/.exec(path)?.[1]);
  const refusal = REFUSED[pk];
  if (refusal) sendJson(response, refusal.status, refusal.body);
  else if (pk === REDIRECTED)
    response.writeHead(302, { Location: "/if/flow/default-authentication-flow/" }).end();
  else if (pk === UNKNOWN_MODE)
    sendJson(response, 200, connectionBody(pk, { source: sourceBody({ policy_engine_mode: "most" }) }));
  else fallback();
};
