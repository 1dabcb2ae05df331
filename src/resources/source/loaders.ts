import DataLoader from "dataloader";
import type { AuthentikClient } from "../../authentik/client.ts";
import { AuthentikError } from "../../authentik/errors.ts";
import { decodePage, incompletePage } from "../../authentik/lookup/page.ts";
import { perRequest } from "../../authentik/per-request.ts";
import { isJsonObject, type JsonObject } from "../../authentik/shape.ts";
import { readSource, type Source } from "./wire.ts";

const PAGE_SIZE = 100;

/** Pages of own connections that are looked through for a source, for callers who may not read sources. */
const MAX_CONNECTION_PAGES = 5;

/**
 * Sources by primary key (a UUID in lower case), for one caller.
 *
 * authentik's detail routes take slugs, not keys, and sources are few: they are listed once and picked. A single key
 * goes along as `pbm_uuid`, which releases since 2025.2 filter by and earlier ones ignore; the rows decide.
 * Callers who may not read sources find those of their own connections.
 * A key that does not exist loads as null.
 * @throws {AuthentikError} per key, never for the batch
 */
export const sourceByPk = perRequest(
  (authentik) => new DataLoader<string, Source | null>((pks) => sourcesByPk(authentik, pks)),
);

async function sourcesByPk(
  authentik: AuthentikClient,
  pks: readonly string[],
): Promise<(Source | null | AuthentikError)[]> {
  const found = new Map<string, Source | AuthentikError>();
  const wanted = new Set(pks);
  authentik.usage.keysRequested += pks.length;
  authentik.usage.keysFetched += wanted.size;
  const failure = await collect(authentik, { wanted, found, ...allSources(pks) });
  let missing: AuthentikError | null = failure;
  if (failure?.kind === "forbidden") {
    const connections = await collect(authentik, { wanted, found, ...OWN_CONNECTIONS });
    missing = connections ?? failure;
  }
  return pks.map((pk) => found.get(pk) ?? missing);
}

interface SourceList {
  route: string;
  query: string;
  maxPages: number;
  sourceOf: (row: JsonObject) => unknown;
}

function allSources(pks: readonly string[]): SourceList {
  const filter = pks.length === 1 ? `pbm_uuid=${pks[0]}&` : "";
  return {
    route: "/sources/all/",
    query: `${filter}ordering=pk`,
    maxPages: Number.POSITIVE_INFINITY,
    sourceOf: (row) => row,
  };
}

const OWN_CONNECTIONS: SourceList = {
  route: "/sources/user_connections/plex/",
  query: "ordering=pk",
  maxPages: MAX_CONNECTION_PAGES,
  sourceOf: (row) => (typeof row["source"] === "string" ? row["source_obj"] : row["source"]),
};

/** Reads pages until every wanted key was found. The error that ended it, or null. */
async function collect(
  authentik: AuthentikClient,
  list: SourceList & { wanted: ReadonlySet<string>; found: Map<string, Source | AuthentikError> },
): Promise<AuthentikError | null> {
  const { route, query, maxPages, sourceOf, wanted, found } = list;
  let missing: AuthentikError | null = null;
  try {
    for (let page = 1, read = 0; page !== 0 && read < maxPages && found.size < wanted.size; read += 1) {
      const path = `${route}?${query}&page=${page}&page_size=${PAGE_SIZE}`;
      // oxlint-disable-next-line no-await-in-loop -- the next page is named by this one
      const answer = decodePage(await authentik.get({ route, path, rows: PAGE_SIZE }));
      authentik.usage.rowsListed += answer.rows.length;
      for (const row of answer.rows) take(isJsonObject(row) ? sourceOf(row) : row, { wanted, found });
      // What such a page lacks may exist all the same.
      if (!answer.isComplete) missing = incompletePage(answer);
      page = answer.next;
    }
    return missing;
  } catch (error) {
    if (error instanceof AuthentikError) return error;
    throw error;
  }
}

function take(
  source: unknown,
  { wanted, found }: { wanted: ReadonlySet<string>; found: Map<string, Source | AuthentikError> },
) {
  const pk = isJsonObject(source) && typeof source["pk"] === "string" ? source["pk"].toLowerCase() : "";
  if (!wanted.has(pk) || found.has(pk)) return;
  try {
    found.set(pk, readSource(source, "$.source"));
  } catch (error) {
    if (!(error instanceof AuthentikError)) throw error;
    found.set(pk, error);
  }
}
