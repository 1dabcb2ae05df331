import { median } from "../scheduler/concurrency-limit.ts";

/** Rows asked for in one page: the largest that every release grants by default. */
export const PAGE_SIZE = 100;

/** A list costs as much as a retrieve besides its rows: 30 ms against 33 ms on real servers. */
export const LIST_BASE_COST = 1;

/** Cost of a page of so many rows, in retrieves. See docs/decisions/0001-list-or-retrieve.md. */
export function pageCost(rows: number, rowCost: number): number {
  return LIST_BASE_COST + rows * rowCost;
}

/** Rows of the first page of an unknown list, where lists are long: they tell its length, and settle a person's few keys. */
const FIRST_LOOK_ROWS = 10;
/** A guess must promise so much more than it costs, because it may be wrong. */
const GUESS_MARGIN = 1.25;

/** A page to read. */
export interface PageRequest {
  /** From 1. */
  page: number;
  pageSize: number;
  /** Rows that it probably has. */
  rows: number;
}

/** What to send at once. Wanted keys that are not in `retrieve` wait for what the pages say. */
interface Plan {
  pages: readonly PageRequest[];
  retrieve: readonly number[];
}

/** What one operation knows when it plans. */
interface Situation {
  /** Keys not settled yet. */
  wanted: ReadonlySet<number>;
  /** Numbers of pages (of the size that is granted) that this operation has read. */
  read: ReadonlySet<number>;
  /** What a row costs, in retrieves. */
  rowCost: number;
  /** Cost, in retrieves, of guesses that may turn out to be wrong. */
  allowance: number;
  /** Whether other lists of this kind were longer than a page. */
  areListsLong: boolean;
}

/** What a page ordered by key told. */
interface PageFacts {
  /** Number of the next page; 0: this was the last. */
  next: number;
  /** Rows of the whole list. */
  count: number;
  /** Rank of the first row, from 1. */
  startIndex: number;
  /** The page size that was asked for. */
  asked: number;
  pks: readonly number[];
}

export type PagePlanner = ReturnType<typeof createPagePlanner>;

/**
 * Knows one caller's list (its length, the page size that authentik grants, where some keys stand), and decides which of its
 * pages are worth reading.
 *
 * A page ordered by key settles every wanted key between its first and its last row, present or not. So the whole list pays
 * when it costs less than the keys, and a single page when more keys are expected in it than it costs.
 */
export function createPagePlanner() {
  /** Rows that the caller sees; null until a page was read. */
  let count: number | null = null;
  let pageSize = PAGE_SIZE;
  /** Keys whose rank (from 1) is known, ascending. */
  let anchors: readonly { pk: number; rank: number }[] = [];

  const firstLook = ({ wanted, rowCost, areListsLong }: Situation): Plan => {
    // No more rows than the retrieves that they may save would cost.
    const affordable = Math.floor((wanted.size - LIST_BASE_COST) / rowCost);
    const rows = Math.min(areListsLong ? FIRST_LOOK_ROWS : pageSize, affordable);
    if (rows < 1) return { pages: [], retrieve: [...wanted] };
    return { pages: [{ page: 1, pageSize: rows, rows }], retrieve: [] };
  };

  /** Where this key probably stands: linear between two anchors, as dense as the known rows beyond the last one. */
  const rankOf = (pk: number): number => {
    const index = anchors.findIndex((anchor) => anchor.pk >= pk);
    const first = anchors[0] ?? { pk: 0, rank: 0 };
    const last = anchors.at(-1) ?? first;
    const before = index < 0 ? first : (anchors[index - 1] ?? { pk: 0, rank: 0 });
    const after = index < 0 ? last : (anchors[index] ?? last);
    const density = after.pk > before.pk ? (after.rank - before.rank) / (after.pk - before.pk) : 1;
    return after.rank + Math.round((pk - after.pk) * density);
  };

  const groupByPage = (wanted: ReadonlySet<number>, pages: number): Map<number, number[]> => {
    const groups = new Map<number, number[]>();
    for (const pk of wanted) {
      const page = Math.min(pages, Math.max(1, Math.ceil(rankOf(pk) / pageSize)));
      const group = groups.get(page);
      if (group === undefined) groups.set(page, [pk]);
      else group.push(pk);
    }
    return groups;
  };

  return {
    /** The page size that authentik grants. */
    pageSize: () => pageSize,
    plan(situation: Situation): Plan {
      const { wanted, read, rowCost } = situation;
      if (count === null) return firstLook(situation);
      const length = count;
      const pages = Math.max(1, Math.ceil(length / pageSize));
      const rowsOf = (page: number): number => Math.min(pageSize, length - (page - 1) * pageSize);
      const costOf = (page: number): number => pageCost(rowsOf(page), rowCost);
      const request = (page: number): PageRequest => ({ page, pageSize, rows: rowsOf(page) });

      const retrieve: number[] = [];
      const groups = groupByPage(wanted, pages);
      for (const page of read) {
        // Not there, although it should have been: rows moved, or the key stands between two pages.
        retrieve.push(...(groups.get(page) ?? []));
        groups.delete(page);
      }

      // Each page costs a retrieve at least, so that a list of more pages than keys is not even counted through.
      const isTooLong = pages - read.size > wanted.size;
      const numbers = Array.from({ length: isTooLong ? 0 : pages }, (_, index) => index + 1);
      const unread = numbers.filter((page) => !read.has(page));
      const wholeCost = isTooLong ? Infinity : unread.reduce((sum, page) => sum + costOf(page), 0);
      let guessedCost = 0;
      for (const [page, pks] of groups) guessedCost += Math.min(pks.length, costOf(page));
      const wholeList = { pages: unread.map(request), retrieve };
      const doesWholeListPay = wholeCost <= wanted.size - retrieve.length;
      if (doesWholeListPay && wholeCost <= guessedCost * GUESS_MARGIN) return wholeList;

      const guesses = Array.from(groups, ([page, pks]) => ({ page, pks, cost: costOf(page) }))
        .filter(({ pks, cost }) => pks.length >= cost * GUESS_MARGIN)
        .sort((a, b) => b.pks.length - b.cost - (a.pks.length - a.cost));
      let { allowance } = situation;
      const affordable: number[] = [];
      for (const { page, cost } of guesses) {
        if (cost > allowance) break;
        allowance -= cost;
        affordable.push(page);
      }
      // Other good guesses wait for what these say. Without any, there is nothing to wait for, and the whole list is no guess.
      if (affordable.length > 0) for (const { page } of guesses) groups.delete(page);
      else if (doesWholeListPay && unread.length > 0) return wholeList;
      for (const pks of groups.values()) retrieve.push(...pks);
      return { pages: affordable.map(request), retrieve };
    },
    learn({ asked, next, count: newCount, startIndex, pks }: PageFacts): void {
      const known = new Map(newCount === count ? anchors.map(({ pk, rank }) => [pk, rank]) : []);
      count = newCount;
      if (next !== 0 && pks.length < asked) pageSize = pks.length;
      for (const index of [0, pks.length - 1]) {
        const pk = pks[index];
        if (pk !== undefined) known.set(pk, startIndex + index);
      }
      anchors = Array.from(known, ([pk, rank]) => ({ pk, rank }))
        .sort((a, b) => a.pk - b.pk)
        // Rows come and go between two reads: what contradicts the order is forgotten.
        .filter(({ rank }, index, all) => index === 0 || rank > (all[index - 1]?.rank ?? 0));
    },
  };
}

export type RowCost = ReturnType<typeof createRowCost>;

/** Measured on real servers of two releases: 2.6 ms a row, 33 ms a retrieve. */
const USUAL_ROW_COST = 0.08;
const LEAST_ROW_COST = 0.02;
const MOST_ROW_COST = 0.25;
/** Lists of fewer rows measure the base rather than the rows. */
const FEWEST_ROWS = 20;
/** Shorter latencies are mostly network and event loop. */
const SHORTEST_MS = 5;
/** Medians of so many latest responses count. */
const REMEMBERED = 7;
const FEWEST_RESPONSES = 3;

/**
 * What a row of a list costs authentik, in retrieves, as its latencies tell: a list costs about one retrieve plus its
 * rows, so a row costs what is beyond one retrieve, by rows.
 */
export function createRowCost() {
  const retrieves: number[] = [];
  const rowsMs: number[] = [];
  let latest = USUAL_ROW_COST;

  /** What a retrieve takes; null while that is not known or too little to compare with. */
  const retrieveMs = (): number | null => {
    if (retrieves.length < FEWEST_RESPONSES) return null;
    const ms = median(retrieves);
    return ms < SHORTEST_MS ? null : ms;
  };

  return {
    /** Takes in a response that authentik gave with at most one other call in flight; `rows` is null for a retrieve. */
    observe(rows: number | null, latencyMs: number): void {
      if (rows === null) remember(retrieves, latencyMs);
      else if (rows >= FEWEST_ROWS) {
        const baseMs = retrieveMs();
        if (baseMs !== null) remember(rowsMs, Math.max(0, latencyMs - baseMs) / rows);
      }
    },
    /** Worked out anew each time: responses are observed far more often. */
    current(): number {
      const baseMs = retrieveMs();
      if (baseMs !== null && rowsMs.length >= FEWEST_RESPONSES) {
        latest = Math.min(MOST_ROW_COST, Math.max(LEAST_ROW_COST, median(rowsMs) / baseMs));
      }
      return latest;
    },
  };
}

function remember(values: number[], value: number): void {
  values.push(value);
  if (values.length > REMEMBERED) values.shift();
}
