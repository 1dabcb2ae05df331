import DataLoader from "dataloader";
import type { AuthentikClient } from "../../authentik/client.ts";
import { isFilterable } from "../../authentik/decoders.ts";
import { AuthentikError, isRefusalOf, orError } from "../../authentik/authentik-error.ts";
import { createFilterLookup } from "../../authentik/lookup/by-filter.ts";
import {
  type Anchor,
  type Order,
  readWindow,
  type SortKey,
  type Window,
  windowOf,
} from "../../authentik/lookup/list-window.ts";
import { PAGE_SIZE } from "../../authentik/lookup/page-planner.ts";
import { listRoute, readPage, readWholeList } from "../../authentik/lookup/list-pages.ts";
import { perRequest } from "../../authentik/per-request.ts";
import { createPkLookup } from "../../authentik/lookup/by-pk.ts";
import { loaderPerRequest } from "../loader.ts";
import { decodePlexSourceConnection, type PlexSourceConnection } from "./decode.ts";
import { canSearchIdentifiers, learnFrom, mayFilterByUser } from "./release.ts";

const ROUTE = "/sources/user_connections/plex/";

/** The list with some filter, as a query that ends in `&`. */
const connectionsList = (filter: string, ordering: string) =>
  listRoute(ROUTE, `${filter}ordering=${ordering}`, (row, path, client) => {
    const connection = decodePlexSourceConnection(row, path);
    learnFrom(client, connection);
    return connection;
  });

const byPk = createPkLookup<PlexSourceConnection>({
  retrieve: (pk) => ({ route: `${ROUTE}{id}/`, path: `${ROUTE}${pk}/` }),
  ...connectionsList("", "pk"),
});

/**
 * Plex source connections by primary key, for one caller.
 * authentik has no lookup of several keys, so few keys are retrieved one by one and many are picked from the list.
 * A key the caller may not see loads as null, as authentik answers 404 for it.
 * @throws {AuthentikError} per key, never for the batch
 */
export const plexSourceConnectionByPk = loaderPerRequest(byPk);

/**
 * Everything that a filter finds; null where authentik ignored the filter.
 * @throws {AuthentikError}
 */
async function readFiltered(
  client: AuthentikClient,
  filter: string,
  options: { maxRows: number; isApplied: (rows: readonly PlexSourceConnection[]) => boolean },
): Promise<readonly PlexSourceConnection[] | null> {
  const { maxRows, isApplied } = options;
  const route = connectionsList(filter, "pk");
  const first = await readPage(client, route, { page: 1, pageSize: PAGE_SIZE });
  if (!isApplied(first.rows)) return null;
  return readWholeList(client, route, { maxRows, first });
}

const byUser = createFilterLookup<number, PlexSourceConnection>({
  ...connectionsList("", "user,pk"),
  keyOf: (connection) => connection.user,
  async filter(client, user, maxRows) {
    if (!mayFilterByUser(client)) return null;
    try {
      return await readFiltered(client, `user=${user}&`, {
        maxRows,
        isApplied: (rows) => mayFilterByUser(client) && rows.every((row) => row.user === user),
      });
    } catch (error) {
      // authentik refuses the key of a user who does not exist.
      if (isRefusalOf(error, "user")) return [];
      throw error;
    }
  },
});

/**
 * The connections of users, by the users' primary keys: only those that the caller may see.
 * @throws {AuthentikError} per key, never for the batch
 */
export const plexSourceConnectionsByUser = loaderPerRequest(byUser);

const byIdentifier = createFilterLookup<string, PlexSourceConnection>({
  ...connectionsList("", "pk"),
  keyOf: (connection) => connection.identifier,
  filter: (client, identifier, maxRows) => searchIdentifier(client, "", { identifier, maxRows }),
});

/**
 * The connections that claim a Plex account, by its number: only those that the caller may see.
 * @throws {AuthentikError} per key, never for the batch
 */
export const plexSourceConnectionsByIdentifier = loaderPerRequest(byIdentifier);

/** A part of an identifier that every release searches for as it stands, or null. */
function searchTerm(identifier: string): string | null {
  const words = identifier.match(/[0-9A-Za-z]+/g) ?? [];
  const [longest] = words.toSorted((a, b) => b.length - a.length);
  return longest?.slice(0, 64) ?? null;
}

/**
 * The connections with exactly this identifier among those of a filter; null where authentik cannot search for it.
 * A search finds parts, in any case, in other fields too, so that what it finds is picked from.
 */
async function searchIdentifier(
  client: AuthentikClient,
  filter: string,
  { identifier, maxRows }: { identifier: string; maxRows: number },
): Promise<readonly PlexSourceConnection[] | null> {
  const term = searchTerm(identifier);
  if (term === null || !(await canSearchIdentifiers(client, { ask: false }))) return null;
  const rows = await readFiltered(client, `${filter}search=${term}&`, {
    maxRows,
    isApplied: (found) => found.every((row) => row.lastUpdated !== null),
  });
  // Nothing found says nothing where it is not known whether identifiers were looked at.
  if (rows === null || (rows.length === 0 && !(await canSearchIdentifiers(client, { ask: true }))))
    return null;
  return rows.filter((row) => row.identifier === identifier);
}

/** How lists of connections may be sorted. */
export type PlexConnectionSort = keyof typeof SORTS;

/** How authentik sorts connections, and how what it sends can be compared. */
interface Sort extends Order<PlexSourceConnection> {
  /** As authentik takes it; fields that a release does not have are skipped there. */
  ordering: string;
  /** The order of rows that are at hand, where the database's cannot be known. */
  local?: (row: PlexSourceConnection) => SortKey;
}

const SORTS = {
  ID_ASC: { ordering: "pk", direction: 1, key: ({ pk }) => [pk] },
  ID_DESC: { ordering: "-pk", direction: -1, key: ({ pk }) => [pk] },
  USER_ASC: { ordering: "user,pk", direction: 1, key: ({ user, pk }) => [user, pk] },
  IDENTIFIER_ASC: {
    ordering: "identifier,pk",
    direction: 1,
    key: null,
    local: ({ identifier, pk }) => [identifier, pk],
  },
  LAST_UPDATED_DESC: {
    ordering: "-last_updated,-created,-pk",
    direction: -1,
    key: ({ lastUpdated, created, pk }) => [instant(lastUpdated), instant(created), pk],
  },
} satisfies Record<string, Sort>;

/** Comparable as text: authentik writes UTC with six digits or no fraction at all. */
function instant(dateTime: string | null): string {
  return dateTime?.replace(/Z$/, "") ?? "";
}

/** What stands behind a sort of the graph. */
export function sortOf(sort: PlexConnectionSort): Sort {
  return SORTS[sort];
}

/** What a list of connections may be narrowed by; all that is given must hold. */
export interface PlexConnectionFilter {
  user?: number | null | undefined;
  /** Slug of the source. */
  source?: string | null | undefined;
  identifier?: string | null | undefined;
}

/**
 * A page of the connections that the caller may see.
 *
 * authentik pages through a whole list and through that of one source. What belongs to one user or one Plex account is
 * little: it is read at once, or looked for in the list where a release has no filter for it.
 * @throws {AuthentikError} too-many-rows where the list is too long to be looked through
 */
export async function plexSourceConnections(
  client: AuthentikClient,
  { user, source, identifier }: PlexConnectionFilter,
  page: Page & { maxRows: number },
): Promise<Window<PlexSourceConnection>> {
  if (typeof source === "string" && !isFilterable(source)) return { rows: [], count: 0 };
  const { size, after, maxRows } = page;
  const sort = sortOf(page.sort);
  const hasSource = (row: PlexSourceConnection) => typeof source !== "string" || row.source.slug === source;
  let rows: readonly PlexSourceConnection[];
  if (typeof user === "number") {
    rows = await plexSourceConnectionsByUser(client, maxRows).load(user);
    rows = rows.filter((row) => typeof identifier !== "string" || row.identifier === identifier);
  } else if (typeof identifier !== "string") {
    return pageOfConnections(client).load({ source: source ?? null, size, after, sort: page.sort });
  } else if (typeof source === "string") {
    rows = await identifierInSource(client, { source, identifier, maxRows });
  } else {
    rows = await plexSourceConnectionsByIdentifier(client, maxRows).load(identifier);
  }
  const { direction, key, local = key } = sort;
  return windowOf(rows.filter(hasSource), { size, after, order: { direction, key: local } });
}

interface Page {
  size: number;
  after: Anchor | null;
  sort: PlexConnectionSort;
}

/** Pages of all connections or of those of one source: every row of a list may ask for the same one through its source. */
const pageOfConnections = perRequest(
  (client) =>
    new DataLoader<Page & { source: string | null }, Window<PlexSourceConnection>, string>(
      (pages) => Promise.all(pages.map((page) => orError(readPageOfConnections(client, page)))),
      // No page waits for another.
      {
        batch: false,
        cacheKeyFn: ({ source, size, after, sort }) => JSON.stringify([source, size, after, sort]),
      },
    ),
);

async function readPageOfConnections(
  client: AuthentikClient,
  { source, size, after, sort }: Page & { source: string | null },
): Promise<Window<PlexSourceConnection>> {
  const order = sortOf(sort);
  const filter = source === null ? "" : `source__slug=${encodeURIComponent(source)}&`;
  const window = await readWindow(client, connectionsList(filter, order.ordering), { size, after, order });
  if (source === null || window.rows.every(({ row }) => row.source.slug === source)) return window;
  throw new AuthentikError("malformed-response", "authentik did not apply the filter source__slug");
}

async function identifierInSource(
  client: AuthentikClient,
  { source, identifier, maxRows }: { source: string; identifier: string; maxRows: number },
): Promise<readonly PlexSourceConnection[]> {
  const filter = `source__slug=${encodeURIComponent(source)}&`;
  const found = await searchIdentifier(client, filter, { identifier, maxRows });
  if (found) return found;
  const all = await readWholeList(client, connectionsList(filter, "pk"), { maxRows });
  return all.filter((row) => row.identifier === identifier);
}

/**
 * Deletes a connection. Whether there was one that the caller may see.
 * @throws {AuthentikError} forbidden for who may see it and not delete it
 */
export async function deletePlexSourceConnection(client: AuthentikClient, pk: number): Promise<boolean> {
  try {
    await client.delete({ route: `${ROUTE}{id}/`, path: `${ROUTE}${pk}/` });
    return true;
  } catch (error) {
    if (error instanceof AuthentikError && error.kind === "not-found") return false;
    throw error;
  }
}
