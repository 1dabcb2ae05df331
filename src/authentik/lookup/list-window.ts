import type { AuthentikClient } from "../client.ts";
import { malformed } from "../decoders.ts";
import { PAGE_SIZE } from "./page-planner.ts";
import { type ListRoute, nothingPastTheEnd, type Page, readPage } from "./list-pages.ts";

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

/** A row with the place that it had when it was read. */
interface PlacedRow<T> {
  row: T;
  /** How many rows came before it. */
  offset: number;
  /** Rows in all. */
  count: number;
}

/** Some rows of a list, with the place that each had. */
export interface Window<T> {
  rows: readonly PlacedRow<T>[];
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

/** How often one answer goes back because rows went. */
const MAX_RETURNS = 3;

/**
 * The rows that follow an anchor, in one call when nothing has changed since.
 *
 * authentik knows page numbers only. Where the number of rows or the order of what it sends says that rows came or went, the
 * place is found again by the anchor's key, however far it has moved: nothing is lost or shown twice where that can be known.
 * @throws {AuthentikError} too-many-calls among others: what an operation may send bounds the search
 */
export async function readWindow<T extends Row>(
  client: AuthentikClient,
  route: ListRoute<T>,
  { size, order, after }: WindowOptions<T>,
): Promise<Window<T>> {
  const found = new Map<number, PlacedRow<T>>();
  let start = after?.offset ?? 0;
  let count = after?.count ?? 0;
  let wanted = size;
  let granted = Math.max(PAGE_SIZE, size);
  let isLookingBack = false;
  let returns = 0;
  // Once rows have moved, pages that were read before do not fit those that are read now.
  let fresh = false;
  do {
    // oxlint-disable-next-line no-await-in-loop -- what is missing is known only now
    const read = await readRows(client, route, { start, size: wanted, granted, fresh });
    const gone = count - read.count;
    ({ count, granted } = read);
    const foundBefore = found.size;
    const isSeeking = foundBefore === 0 && order.key !== null;
    // What stands on the page before the place is free, and may tell that the place is another one.
    const onPage = isSeeking ? read.rows : read.rows.filter(({ offset }) => offset >= start);
    const rows = unseen(onPage, { order, after });
    const isPlaceKnown = onPage[0]?.offset === 0 || (foundBefore === 0 && rows.length < onPage.length);
    const isBehind = gone > 0 && returns < MAX_RETURNS;
    if (!isPlaceKnown && (isBehind || isLookingBack)) {
      // What follows has moved up by the rows that went, or further where others came behind. A row that was seen tells.
      isLookingBack = isSeeking;
      fresh = true;
      const back = isBehind ? gone + Number(isLookingBack) : PAGE_SIZE;
      returns += Number(isBehind);
      start = Math.max(0, start - back);
      wanted = size - foundBefore + back;
      continue;
    }
    isLookingBack = false;
    for (const placed of rows) found.set(placed.row.pk, placed);
    start = read.end;
    // Nobody knows how many more of those that were seen stand in the way.
    wanted = found.size === foundBefore ? granted : size - found.size;
  } while (found.size < size && start < count);
  return { rows: [...found.values()].slice(0, size), count };
}

/** The same for rows that are all at hand; where nothing can be compared, the place counts. */
export function windowOf<T extends Row>(
  all: readonly T[],
  { size, order, after }: WindowOptions<T>,
): Window<T> {
  const { key, direction } = order;
  const sorted = key ? all.toSorted((a, b) => direction * compare(key(a), key(b))) : all;
  const placed = sorted.map((row, offset) => ({ row, offset, count: all.length }));
  const isLost = after !== null && after.key.length === 0 && !all.some(({ pk }) => pk === after.pk);
  const rows = isLost ? placed.slice(after.offset) : unseen(placed, { order, after });
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
  placed: readonly PlacedRow<T>[],
  { order, after }: { order: Order<T>; after: Anchor | null },
): readonly PlacedRow<T>[] {
  if (after === null) return placed;
  const place = placed.findIndex(({ row }) => row.pk === after.pk);
  if (place >= 0) return placed.slice(place + 1);
  const { key, direction } = order;
  if (!key) return placed;
  return placed.filter(({ row }) => direction * compare(key(row), after.key) > 0);
}

/** The rows of a page that has those from `start` on, `size` of them where one page can hold them; none past the end. */
async function readRows<T>(
  client: AuthentikClient,
  route: ListRoute<T>,
  { start, size, granted, fresh }: { start: number; size: number; granted: number; fresh: boolean },
): Promise<{ rows: readonly PlacedRow<T>[]; end: number; count: number; granted: number }> {
  const plan = planPage({ from: start, size, granted });
  const page = await readPage(client, route, { ...plan, fresh }).catch(nothingPastTheEnd);
  if (page === null) {
    const { count } = await readPage(client, route, { page: 1, pageSize: 1, fresh: true });
    return { rows: [], end: Infinity, count, granted };
  }
  const { count } = page;
  const asked = (plan.page - 1) * plan.pageSize;
  const end = asked + page.rows.length;
  const isOtherPage = page.rows.length > 0 && page.startIndex - 1 !== asked;
  const isCut = page.next !== 0 && page.rows.length < plan.pageSize;
  const cut = isOtherPage || isCut ? lesser(page, plan.pageSize) : granted;
  // Where the page size was cut this may be another page than was meant.
  if (isOtherPage || (isCut && end <= start))
    return readRows(client, route, { start, size, granted: cut, fresh });
  const rows = page.rows.map((row, index) => ({ row, offset: asked + index, count }));
  return { rows, end, count, granted: cut };
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
