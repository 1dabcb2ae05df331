import type { AuthentikClient } from "../client.ts";
import { AuthentikError, type AuthentikErrorKind } from "../authentik-error.ts";
import { decodeObject, malformed, MAX_PK } from "../decoders.ts";
import type { UpstreamRequest } from "../request.ts";
import { PAGE_SIZE, type PageRequest } from "./page-planner.ts";

/** One page of a list, as every release from 2024.2 on sends it. */
export interface Page<Row = unknown> {
  rows: readonly Row[];
  /** Number of the next page; 0: this was the last. Decides, whatever the arithmetic says. */
  next: number;
  /** Rows that the caller may see in all, when this page was read. */
  count: number;
  /** Rank of the first row, from 1; 0 where the caller sees no rows at all. */
  startIndex: number;
  /**
   * Whether it has as many rows as its own `start_index`, `end_index`, `count` and `next` say. Otherwise a row that it lacks
   * need not be absent: only the rows that it has can be believed.
   */
  isComplete: boolean;
}

/** @throws {AuthentikError} malformed-response */
export function decodePage(body: unknown): Page {
  const response = decodeObject(body, "$");
  const rows = response["results"];
  if (!Array.isArray(rows)) throw malformed("$.results", "a list", rows);
  const pagination = decodeObject(response["pagination"], "$.pagination");
  const next = decodeCount(pagination, "next");
  const count = decodeCount(pagination, "count");
  const startIndex = decodeCount(pagination, "start_index");
  const endIndex = decodeCount(pagination, "end_index");
  // Of an empty list authentik says 0 and 0; no other list has an empty page.
  const rowsSaid = count === 0 ? 0 : endIndex - startIndex + 1;
  const isComplete =
    rows.length === rowsSaid &&
    (count === 0 || (startIndex >= 1 && rows.length > 0)) &&
    endIndex <= count &&
    (endIndex === count) === (next === 0);
  return { rows, next, count, startIndex, isComplete };
}

/** What is wrong where a key is missing on a page that is not complete. */
function incompletePage(page: Page): AuthentikError {
  return new AuthentikError("malformed-response", "authentik sent a page with fewer rows than it says", {
    detail: `${page.rows.length} rows from ${page.startIndex} on, of ${page.count}; next page ${page.next}`,
  });
}

function decodeCount(pagination: Readonly<Record<string, unknown>>, key: string): number {
  const value = pagination[key];
  // No list has more rows than there are keys.
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_PK) {
    throw malformed(`$.pagination.${key}`, "a whole number", value);
  }
  return value;
}

/** A list of authentik's, page by page, and what its rows are. */
export interface ListRoute<T> {
  list: (page: PageRequest) => UpstreamRequest;
  /**
   * @param client whose authentik sent the row
   * @throws {AuthentikError} malformed-response
   */
  decode: (row: unknown, path: string, client: AuthentikClient) => T;
  /** What a row costs authentik, in rows of connections. Default 1. */
  rowWeight?: number;
  /** Whether who may not list anything may not read it by any key either. Default false. */
  isForbiddenAsWhole?: boolean;
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
 * @param page.fresh whether what was read before is out of date
 * @throws {AuthentikError} not-found past the end, malformed-response for a row that is none and a page that lacks rows
 */
export async function readPage<T>(
  client: AuthentikClient,
  { list, decode }: ListRoute<T>,
  { fresh = false, ...page }: { page: number; pageSize: number; rows?: number; fresh?: boolean },
): Promise<Page<T>> {
  const body = decodePage(await client.get({ ...list({ rows: page.pageSize, ...page }), fresh }));
  if (!body.isComplete) throw incompletePage(body);
  return { ...body, rows: body.rows.map((row, index) => decode(row, `$.results[${index}]`, client)) };
}

/** A page past the end of a list that became shorter has no rows. @throws everything else */
export function nothingPastTheEnd(error: unknown): null {
  if (error instanceof AuthentikError && error.kind === "not-found") return null;
  throw error;
}

/** Pages of one list in flight at once: authentik has two workers by default. */
const PAGES_IN_FLIGHT = 2;

/** How often a list is read that changes while it is read. */
const MAX_READINGS = 3;

/**
 * Reads a list from its first to its last page.
 *
 * Rows that come or go move others from a page that is still to be read to one that has been read, or the other way. So a list
 * that changed meanwhile is read again. Where it never rests, everything that was read is the answer.
 * @param options.maxRows rows that may be looked through
 * @param options.first the first page, where it has been read already
 * @throws {AuthentikError} too-many-rows, after one page, where the list is longer; malformed-response where pages do not join
 */
export async function readWholeList<T extends { readonly pk: number | string }>(
  client: AuthentikClient,
  route: ListRoute<T>,
  options: { maxRows: number; first?: Page<T> },
): Promise<readonly T[]> {
  const everything: T[] = [];
  let { first } = options;
  let broken: AuthentikError | null = null;
  for (let readings = 0; readings < MAX_READINGS; readings += 1) {
    const fresh = readings > 0;
    // oxlint-disable-next-line no-await-in-loop -- whether it has changed is known only now
    first ??= await readPage(client, route, { page: 1, pageSize: PAGE_SIZE, fresh });
    if (first.count > options.maxRows) {
      const excess = { limit: "scannedRows", max: options.maxRows, actual: first.count } as const;
      throw new AuthentikError("too-many-rows", "the list is too long to be looked through", { excess });
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    const read = await readOn(client, route, { first, fresh });
    if (!read.hasChanged && !read.broken) return eachOnce(read.rows);
    everything.push(...read.rows);
    broken = read.broken;
    first = undefined;
  }
  if (broken) throw broken;
  return eachOnce(everything);
}

/** All rows of a list whose first page was read. */
async function readOn<T>(
  client: AuthentikClient,
  route: ListRoute<T>,
  { first, fresh }: { first: Page<T>; fresh: boolean },
): Promise<{ rows: readonly T[]; hasChanged: boolean; broken: AuthentikError | null }> {
  const { count } = first;
  if (first.next === 0) return { rows: first.rows, hasChanged: false, broken: null };
  const granted = Math.max(1, first.rows.length);
  const end = Math.ceil(count / granted);
  const pages: (readonly T[])[] = [first.rows];
  let hasChanged = false;
  /** A page that is not the one that was asked for: rows between it and another are missing. */
  let broken: AuthentikError | null = null;
  let next = 2;
  const readPages = async (): Promise<void> => {
    while (next <= end) {
      const page = next;
      next += 1;
      const rows = Math.min(granted, count - (page - 1) * granted);
      // oxlint-disable-next-line no-await-in-loop -- few pages are in flight at once, on purpose
      const read = await readPage(client, route, { page, pageSize: PAGE_SIZE, rows, fresh })
        .catch(nothingPastTheEnd)
        .catch((error: unknown) => {
          // The answer will be this error: no further page is asked for.
          next = end + 1;
          throw error;
        });
      pages[page - 1] = read?.rows ?? [];
      hasChanged ||= read?.count !== count;
      if (
        read &&
        (read.startIndex - 1 !== (page - 1) * granted || (!hasChanged && read.rows.length !== rows))
      )
        broken = malformed("$.pagination.start_index", "a page that joins the one before", read.startIndex);
    }
  };
  await Promise.all(Array.from({ length: PAGES_IN_FLIGHT }, readPages));
  return { rows: pages.flat(), hasChanged, broken };
}

function eachOnce<T extends { readonly pk: number | string }>(rows: readonly T[]): readonly T[] {
  return [...new Map(rows.map((row) => [row.pk, row])).values()];
}

const FAILS_EVERY_KEY: ReadonlySet<AuthentikErrorKind> = new Set([
  "unreachable",
  "misconfigured",
  "starting",
  "timeout",
  "cancelled",
  "overloaded",
  "too-many-calls",
  "unauthenticated",
  "service-credentials",
  "rate-limited",
]);

/** Whether what failed so as a list would only fail again, key by key. */
export function failsEveryKey(
  { isForbiddenAsWhole = false }: Pick<ListRoute<unknown>, "isForbiddenAsWhole">,
  { kind }: AuthentikError,
): boolean {
  return FAILS_EVERY_KEY.has(kind) || (isForbiddenAsWhole && kind === "forbidden");
}
