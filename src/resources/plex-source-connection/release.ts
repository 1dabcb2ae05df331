import { AuthentikError, orError } from "../../authentik/authentik-error.ts";
import type { AuthentikClient } from "../../authentik/client.ts";
import { decodeObject, decodeString } from "../../authentik/decoders.ts";
import { failsEveryKey } from "../../authentik/lookup/list-pages.ts";
import { perRequest, perUpstream } from "../../authentik/per-request.ts";
import type { PlexSourceConnection } from "./decode.ts";

// Releases differ in what lists can be filtered by, and ignore a filter that they do not have. Which release it is shows in
// every connection: `created` came in 2024.8 together with the filter by user, `last_updated` in 2025.4 together with the
// search in identifiers.

/** What is known of an authentik; null: nothing yet. The newest response counts, so that an upgrade is noticed. */
interface Known {
  filtersByUser: boolean | null;
  searchesIdentifiers: boolean | null;
}

const known = perUpstream((): Known => ({ filtersByUser: null, searchesIdentifiers: null }));

/** Takes in what a connection looks like. */
export function learnFrom(
  client: AuthentikClient,
  { created, lastUpdated }: Pick<PlexSourceConnection, "created" | "lastUpdated">,
): void {
  const about = known(client);
  about.filtersByUser = created !== null;
  about.searchesIdentifiers = lastUpdated !== null;
}

/** Whether `?user=` works, as far as is known. Where it does not, the first row of a response tells. */
export function mayFilterByUser(client: AuthentikClient): boolean {
  return known(client).filtersByUser !== false;
}

/**
 * Whether `?search=` looks at identifiers.
 * @param options.ask whether authentik is asked where it is not known; otherwise it is taken as true
 * @throws {AuthentikError} where the list would fail as well
 */
export async function canSearchIdentifiers(
  client: AuthentikClient,
  { ask }: { ask: boolean },
): Promise<boolean> {
  const about = known(client);
  if (about.searchesIdentifiers === null) {
    if (!ask) return true;
    const found = await orError(version(client));
    if (found instanceof AuthentikError) {
      if (failsEveryKey({}, found)) throw found;
      return false;
    }
    about.searchesIdentifiers = isAtLeast2025_4(found);
  }
  return about.searchesIdentifiers;
}

/** The release, which authentik tells everybody whom it accepts. */
const version = perRequest(async (client): Promise<string> => {
  const request = { route: "/admin/version/", path: "/admin/version/" };
  return decodeString(decodeObject(await client.get(request), "$"), "version_current", "$");
});

/** A version that cannot be read counts as old: looking through the list is right in every release. */
function isAtLeast2025_4(version: string): boolean {
  const [, year, month] = /^(\d{4})\.(\d{1,2})/.exec(version) ?? [];
  return Number(year) > 2025 || (Number(year) === 2025 && Number(month) >= 4);
}
