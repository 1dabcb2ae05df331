import type { AuthentikClient } from "../../authentik/client.ts";
import { AuthentikError, orError } from "../../authentik/authentik-error.ts";
import { perCaller, perRequest } from "../../authentik/per-request.ts";
import { type AuthentikUser, decodeAuthentikViewer } from "./decode.ts";

/** What is known of a caller: who they are, and whether they may read users. */
interface CallerFacts {
  pk?: number;
  username?: string;
  mayReadUsers?: boolean;
}

const callers = perCaller<CallerFacts>();

function remember(client: AuthentikClient, what: CallerFacts): void {
  callers.set(client, { ...callers.get(client), ...what });
}

/**
 * The caller, whom everybody may read; in service mode the service account.
 * @throws {AuthentikError}
 */
export const authentikViewer = perRequest(async (client): Promise<AuthentikUser> => {
  const viewer = decodeAuthentikViewer(
    await client.get({ route: "/core/users/me/", path: "/core/users/me/" }),
  );
  remember(client, { pk: viewer.pk, username: viewer.username });
  return viewer;
});

type Outcome = AuthentikUser | null | AuthentikError;

/**
 * Looks users up for a caller who may be allowed to read nobody but themselves, or themselves not even though some others,
 * through `core/users/me/`. Who is known to be such a caller, or to be one of those who are looked up, is asked that way first.
 */
export async function withViewer<K>(
  client: AuthentikClient,
  keys: readonly K[],
  options: {
    is: (user: CallerFacts, key: K) => boolean;
    look: (keys: readonly K[]) => Promise<Outcome[]>;
    /** Whether a key that is not found is more likely to be hidden than to be nobody's. */
    mayBeHidden: boolean;
  },
): Promise<Outcome[]> {
  const { is, look, mayBeHidden } = options;
  const known = callers.get(client) ?? {};
  let viewer: AuthentikUser | AuthentikError | null = null;
  if (known.mayReadUsers === false || keys.some((key) => is(known, key)))
    viewer = await viewerOrError(client);
  const isViewer = (key: K) => viewer !== null && !(viewer instanceof AuthentikError) && is(viewer, key);
  const others = keys.filter((key) => !isViewer(key));
  const found = new Map<K, Outcome>();
  if (others.length > 0) {
    const outcomes = await look(others);
    for (const [index, key] of others.entries()) found.set(key, outcomes[index] ?? null);
    const isOneForbidden = outcomes.some(isForbidden);
    remember(client, { mayReadUsers: !isOneForbidden });
    // Who may read only some users does not find themselves among those.
    const isOneHidden = mayBeHidden && known.pk === undefined && outcomes.includes(null);
    if (isOneForbidden || isOneHidden) viewer ??= await viewerOrError(client);
  }
  return keys.map((key) => {
    if (isViewer(key)) return viewer;
    const outcome = found.get(key) ?? null;
    const isHidden = outcome === null ? mayBeHidden : isForbidden(outcome);
    // Where the caller could not be read, nobody knows whether it is theirs.
    const mayBeViewer = isHidden && (known.pk === undefined || is(known, key));
    return mayBeViewer && viewer instanceof AuthentikError ? viewer : outcome;
  });
}

function isForbidden(outcome: Outcome): boolean {
  return outcome instanceof AuthentikError && outcome.kind === "forbidden";
}

/** The caller, or why they could not be read. */
export function viewerOrError(client: AuthentikClient): Promise<AuthentikUser | AuthentikError> {
  return orError(authentikViewer(client));
}
