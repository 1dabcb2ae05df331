import type { AuthentikClient, UpstreamRequest } from "../client.ts";
import { AuthentikError } from "../authentik-error.ts";
import { decodePage, incompletePage, type Page } from "./list-page.ts";
import { PAGE_SIZE, type PageRequest } from "./page-planner.ts";

/** Pages of one list in flight at once: authentik has two workers by default. */
const PAGES_IN_FLIGHT = 2;

/** A list of authentik's, page by page, and what its rows are. */
export interface ListRoute<T> {
  list: (page: PageRequest) => UpstreamRequest;
  /** @throws {AuthentikError} malformed-response */
  decode: (row: unknown, path: string) => T;
}

/** A list at a route; `query` has its filter and its order. */
export function listRoute<T>(route: string, query: string, decode: ListRoute<T>["decode"]): ListRoute<T> {
  return {
    list: ({ page, pageSize, rows }) => ({
      route,
      path: `${route}?${query}&page=${page}&page_size=${pageSize}`,
      rows,
    }),
    decode,
  };
}

/**
 * Reads one page.
 * @throws {AuthentikError} not-found past the end, malformed-response for a row that is none and a page that lacks rows
 */
export async function readPage<T>(
  client: AuthentikClient,
  { list, decode }: ListRoute<T>,
  page: { page: number; pageSize: number; rows?: number },
): Promise<Page<T>> {
  const body = decodePage(await client.get(list({ rows: page.pageSize, ...page })));
  if (!body.isComplete) throw incompletePage(body);
  client.count("rowsListed", body.rows.length);
  return { ...body, rows: body.rows.map((row, index) => decode(row, `$.results[${index}]`)) };
}

/**
 * Reads a list from its first to its last page.
 * @param options.maxRows rows that may be looked through
 * @param options.first the first page, where it has been read already
 * @throws {AuthentikError} too-many-rows, after one page, where the list is longer
 */
export async function readWholeList<T extends { readonly pk: number | string }>(
  client: AuthentikClient,
  route: ListRoute<T>,
  options: { maxRows: number; first?: Page<T> },
): Promise<readonly T[]> {
  const first = options.first ?? (await readPage(client, route, { page: 1, pageSize: PAGE_SIZE }));
  if (first.count > options.maxRows) {
    const excess = { limit: "scannedRows", max: options.maxRows, actual: first.count } as const;
    throw new AuthentikError("too-many-rows", "the list is too long to be looked through", { excess });
  }
  if (first.next === 0) return first.rows;

  const granted = Math.max(1, first.rows.length);
  const pages: (readonly T[])[] = [first.rows];
  let next = 2;
  let end = Math.ceil(first.count / granted);
  const readOn = async (): Promise<void> => {
    while (next <= end) {
      const page = next;
      next += 1;
      // oxlint-disable-next-line no-await-in-loop -- few pages are in flight at once, on purpose
      const read = await readPage(client, route, {
        page,
        pageSize: PAGE_SIZE,
        rows: Math.min(granted, first.count - (page - 1) * granted),
      }).catch(nothingPastTheEnd);
      pages[page - 1] = read?.rows ?? [];
      if (read && read.next > end && read.count <= options.maxRows) end = read.next;
    }
  };
  await Promise.all(Array.from({ length: PAGES_IN_FLIGHT }, readOn));
  // Rows that come or go between two pages move others, which are then seen twice.
  const byPk = new Map<number | string, T>();
  for (const rows of pages) for (const row of rows) byPk.set(row.pk, row);
  return [...byPk.values()];
}

/** A page past the end of a list that became shorter has no rows. @throws everything else */
export function nothingPastTheEnd(error: unknown): null {
  if (error instanceof AuthentikError && error.kind === "not-found") return null;
  throw error;
}
