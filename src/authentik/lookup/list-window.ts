import type { AuthentikClient } from "../client.ts";
import { malformed } from "../decoders.ts";
import type { Page } from "./list-page.ts";
import { PAGE_SIZE } from "./page-planner.ts";
import { type ListRoute, nothingPastTheEnd, readPage } from "./whole-list.ts";

/** What a row is sorted by; compared element by element. */
export type SortKey = readonly (number | string)[];

/** How rows are sorted. */
export interface Order<T> {
  /** 1: ascending, -1: descending. */
  direction: 1 | -1;
  /** Null where only authentik's database can compare, as for text in its collation. */
  key: ((row: T) => SortKey) | null;
}

/** The last row that a client has seen, and the list as it was then. */
export interface Anchor {
  /** How many rows came before the next one. */
  offset: number;
  pk: number;
  /** Empty where the order has no keys. */
  key: SortKey;
  /** Rows in all. */
  count: number;
}

/** Some rows of a list, with the place that each had. */
export interface Window<T> {
  /** `offset`: how many rows come before it. */
  rows: readonly { row: T; offset: number }[];
  /** Rows in all, when this was read. */
  count: number;
}

interface WindowOptions<T> {
  /** Rows wanted; at most a page. */
  size: number;
  order: Order<T>;
  after: Anchor | null;
}

type Row = { readonly pk: number };

/** How far back rows are looked for that moved up when others before them went. */
const MAX_LOOK_BACK = PAGE_SIZE;
/** Further reads when rows that a client has seen already stood in the way. */
const MAX_READS_ON = 3;

/**
 * The rows that follow an anchor, in one call when nothing has changed since.
 *
 * authentik knows page numbers only. Where the number of rows or the order of what it sends says that rows came or went
 * before the anchor, the place is found again by the anchor's key: nothing is lost or shown twice where that can be known.
 * @throws {AuthentikError}
 */
export async function readWindow<T extends Row>(
  client: AuthentikClient,
  route: ListRoute<T>,
  { size, order, after }: WindowOptions<T>,
): Promise<Window<T>> {
  let start = after?.offset ?? 0;
  let read = await readRows(client, route, { start, size });
  if (after !== null && read.count < after.count && start > 0) {
    const back = Math.min(after.count - read.count, start, MAX_LOOK_BACK);
    start -= back;
    read = await readRows(client, route, { start, size: size + back });
  }
  const rows = unseen(read.rows, { start, order, after });
  for (let reads = 0; reads < MAX_READS_ON; reads += 1) {
    start += read.rows.length;
    if (rows.length >= size || start >= read.count || read.rows.length === 0) break;
    // oxlint-disable-next-line no-await-in-loop -- what is missing is known only now
    read = await readRows(client, route, { start, size: size - rows.length });
    rows.push(...unseen(read.rows, { start, order, after }));
  }
  return { rows: rows.slice(0, size), count: read.count };
}

/** The same for rows that are all at hand; where nothing can be compared, the place counts. */
export function windowOf<T extends Row>(
  all: readonly T[],
  { size, order, after }: WindowOptions<T>,
): Window<T> {
  const { key, direction } = order;
  const sorted = key ? all.toSorted((a, b) => direction * compare(key(a), key(b))) : all;
  const isLost = after !== null && after.key.length === 0 && !all.some(({ pk }) => pk === after.pk);
  const rows = isLost
    ? unseen(sorted.slice(after.offset), { start: after.offset, order, after: null })
    : unseen(sorted, { start: 0, order, after });
  return { rows: rows.slice(0, size), count: all.length };
}

/** Negative where a sorts before b. */
function compare(a: SortKey, b: SortKey): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined || left === right) continue;
    return left < right ? -1 : 1;
  }
  return 0;
}

function unseen<T extends Row>(
  rows: readonly T[],
  { start, order, after }: { start: number; order: Order<T>; after: Anchor | null },
): { row: T; offset: number }[] {
  const placed = rows.map((row, index) => ({ row, offset: start + index }));
  if (after === null) return placed;
  const place = rows.findIndex(({ pk }) => pk === after.pk);
  if (place >= 0) return placed.slice(place + 1);
  const { key, direction } = order;
  if (!key) return placed;
  return placed.filter(({ row }) => direction * compare(key(row), after.key) > 0);
}

/** Rows `start` to `start + size`, as far as there are so many. */
async function readRows<T>(
  client: AuthentikClient,
  route: ListRoute<T>,
  { start, size }: { start: number; size: number },
): Promise<{ rows: T[]; count: number }> {
  const rows: T[] = [];
  let count = 0;
  let granted = Math.max(PAGE_SIZE, size);
  while (rows.length < size) {
    const from = start + rows.length;
    const plan = planPage({ from, size: size - rows.length, granted });
    // oxlint-disable-next-line no-await-in-loop -- what is missing is known only now
    const page = await readPage(client, route, plan).catch(nothingPastTheEnd);
    if (page === null) {
      // oxlint-disable-next-line no-await-in-loop -- happens once
      const one = await readPage(client, route, { page: 1, pageSize: 1 });
      return { rows, count: one.count };
    }
    ({ count } = page);
    const asked = (plan.page - 1) * plan.pageSize;
    const isClamped = page.next !== 0 && page.rows.length < plan.pageSize;
    if (page.rows.length > 0 && page.startIndex - 1 !== asked) {
      // The page size was cut, so that this is another page than was meant.
      granted = lesser(page, plan.pageSize);
      continue;
    }
    const found = page.rows.slice(from - asked, from - asked + size - rows.length);
    rows.push(...found);
    if (isClamped) granted = lesser(page, plan.pageSize);
    else if (page.next === 0 || found.length === 0) break;
  }
  return { rows, count };
}

/** The page size that was granted. @throws {AuthentikError} malformed-response where it is none */
function lesser(page: Page, asked: number): number {
  if (page.rows.length >= asked || page.rows.length === 0) {
    throw malformed("$.pagination.start_index", "the rank of the page's first row", page.startIndex);
  }
  return page.rows.length;
}

/** The smallest page that holds all rows from `from` on, or else one that begins with them. */
function planPage({ from, size, granted }: { from: number; size: number; granted: number }): {
  page: number;
  pageSize: number;
} {
  for (let pageSize = Math.min(size, granted); pageSize <= granted; pageSize += 1) {
    const page = Math.floor(from / pageSize);
    if (page === Math.floor((from + size - 1) / pageSize)) return { page: page + 1, pageSize };
  }
  return { page: Math.floor(from / granted) + 1, pageSize: granted };
}
