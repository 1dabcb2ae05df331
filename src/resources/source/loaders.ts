import type { AuthentikClient } from "../../authentik/client.ts";
import { decodeObject, isJsonObject } from "../../authentik/decoders.ts";
import { AuthentikError, orError, outcomeOf } from "../../authentik/authentik-error.ts";
import { listRoute, type ListRoute, readWholeList } from "../../authentik/lookup/list-pages.ts";
import { perRequest } from "../../authentik/per-request.ts";
import { loaderPerRequest } from "../loader.ts";
import { decodePlexSourceSettings, decodeSource, type PlexSourceSettings, type Source } from "./decode.ts";

/** Sources of one authentik that are read; nobody has so many. */
const MAX_SOURCES = 1_000;

/** A source of a list, or what is wrong with it: one that cannot be read must not take the others along. */
interface Listed {
  pk: string;
  slug: string;
  source: Source | AuthentikError;
}

function sourcesList(
  route: string,
  query: string,
  sourceOf: (row: unknown) => unknown = (row) => row,
): ListRoute<Listed> {
  return listRoute(route, query, (row, path) => {
    const value = sourceOf(row);
    const { pk, slug } = isJsonObject(value) ? value : {};
    return {
      pk: typeof pk === "string" ? pk.toLowerCase() : path,
      slug: typeof slug === "string" ? slug : "",
      source: outcomeOf(() => decodeSource(value, `${path}.source`)),
    };
  });
}

/** The sources of the caller's own connections, each once, by slug. */
const ownSources = perRequest(async (client, maxRows: number) => {
  const route = sourcesList("/sources/user_connections/plex/", "ordering=pk", (row) => {
    const connection = decodeObject(row, "$");
    return typeof connection["source"] === "string" ? connection["source_obj"] : connection["source"];
  });
  const sources = await readWholeList(client, route, { maxRows });
  return sources.toSorted((a, b) => (a.slug < b.slug ? -1 : 1));
});

/**
 * What may not be listed is looked for among the sources of the caller's own connections.
 * @param maxRows connections that may be looked through
 */
async function orOwnSources(client: AuthentikClient, all: Promise<readonly Listed[]>, maxRows: number) {
  const sources = await orError(all);
  if (!(sources instanceof AuthentikError)) return { sources, missing: null };
  if (sources.kind !== "forbidden") throw sources;
  return { sources: await ownSources(client, maxRows), missing: sources };
}

type SourceKey = "pk" | "slug";

/** What a single key is filtered by. Releases until 2024.12 ignore `pbm_uuid`; the rows decide. */
const FILTERS: Readonly<Record<SourceKey, string>> = { pk: "pbm_uuid", slug: "slug" };

function createSourceLoader(by: SourceKey) {
  return loaderPerRequest(async (client, keys: readonly string[], maxRows: number) => {
    const [key = ""] = keys;
    const filter = keys.length === 1 ? `${FILTERS[by]}=${encodeURIComponent(key)}&` : "";
    const route = sourcesList("/sources/all/", `${filter}ordering=pk`);
    const all = readWholeList(client, route, { maxRows: MAX_SOURCES });
    const found = await orError(orOwnSources(client, all, maxRows));
    if (found instanceof AuthentikError) return keys.map(() => found);
    return keys.map((one) => found.sources.find((listed) => listed[by] === one)?.source ?? found.missing);
  });
}

/**
 * Sources by primary key (a UUID in lower case), for one caller.
 *
 * authentik's detail routes take slugs, not keys, and sources are few: they are listed once and picked.
 * Callers who may not read sources find those of their own connections. A key that does not exist loads as null.
 * @throws {AuthentikError} per key, never for the batch
 */
export const sourceByPk = createSourceLoader("pk");

/** The same by slug. */
export const sourceBySlug = createSourceLoader("slug");

/** Every Plex source with its settings, listed once for an operation. */
const plexList = perRequest((client) => {
  const route = sourcesList("/sources/plex/", "ordering=slug");
  return readWholeList(
    client,
    {
      list: route.list,
      decode: (row, path) => ({
        ...route.decode(row, path, client),
        settings: outcomeOf(() => decodePlexSourceSettings(row, path)),
      }),
    },
    { maxRows: MAX_SOURCES },
  );
});

/**
 * All Plex sources; for who may not read sources, those of their own connections.
 * @throws {AuthentikError}
 */
export async function plexSources(client: AuthentikClient, maxRows: number): Promise<readonly Source[]> {
  const { sources } = await orOwnSources(client, plexList(client), maxRows);
  return sources.map(({ source }) => orThrow(source));
}

/**
 * The Plex source with this slug; null where there is none, or where the caller has no connection through it.
 * @throws {AuthentikError}
 */
export async function plexSourceBySlug(
  client: AuthentikClient,
  slug: string,
  maxRows: number,
): Promise<Source | null> {
  const { sources } = await orOwnSources(client, plexList(client), maxRows);
  return orThrow(sources.find((listed) => listed.slug === slug)?.source ?? null);
}

/**
 * What only a Plex source has; null for a source of another kind.
 * @throws {AuthentikError} forbidden for who may not read sources
 */
export async function plexSourceSettings(
  client: AuthentikClient,
  pk: string,
): Promise<PlexSourceSettings | null> {
  const sources = await plexList(client);
  return orThrow(sources.find((listed) => listed.pk === pk)?.settings ?? null);
}

function orThrow<T>(outcome: T | AuthentikError): T {
  if (outcome instanceof AuthentikError) throw outcome;
  return outcome;
}
