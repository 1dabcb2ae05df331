/** What a list costs besides its rows, in retrieves: 30 ms against 33 ms on real servers. */
const LIST_BASE_COST = 1;

/** Rows asked for in one page: the largest that every release grants by default. */
export const PAGE_SIZE = 100;

/** Cost of a page of so many rows, in retrieves. See docs/decisions/0001-list-or-retrieve.md. */
export function listCost(rows: number, rowCost: number): number {
  return LIST_BASE_COST + rows * rowCost;
}

/** A row whose rank in the list ordered by key is known. */
interface Anchor {
  pk: number;
  /** From 1. */
  rank: number;
}

/** A page that is worth reading, or being read. */
export interface PagePlan {
  page: number;
  pageSize: number;
  /** Rows that it probably has. */
  rows: number;
  cost: number;
  /** How many of the wanted keys it probably settles. */
  expected: number;
}

/** What is known of the list that one caller sees, and which of its pages are worth reading. */
export interface Directory {
  /** Rows that the caller sees; null until a page was read. */
  count(): number | null;
  pageSize(): number;
  /**
   * The page most worth reading next, or null where plain retrieves cost less.
   * @param wanted keys not settled yet
   * @param options.rowCost what a row costs, in retrieves
   * @param options.skip pages read or being read already
   * @param options.allowance cost that may turn out wasted when the guess is wrong
   */
  choosePage(
    wanted: ReadonlySet<number>,
    options: { rowCost: number; skip: ReadonlySet<number>; allowance: number },
  ): PagePlan | null;
  /** Takes in what a page ordered by key said; `asked` is the page size that was asked for. */
  learn(page: {
    asked: number;
    firstPk: number;
    lastPk: number;
    startIndex: number;
    rows: number;
    next: number;
    count: number;
  }): void;
}

/**
 * Knowledge about one caller's list: its length, the page size that authentik grants, and where some keys stand.
 *
 * A page ordered by key settles every wanted key between its first and its last row, present or not. So a page pays
 * when more wanted keys are expected in it than it costs, and the whole list pays when it costs less than the keys.
 */
export function createDirectory(): Directory {
  let count: number | null = null;
  let granted = PAGE_SIZE;
  let anchors: readonly Anchor[] = [];

  function firstPage(wanted: number, rowCost: number): PagePlan | null {
    if (wanted < 2) return null;
    // Nothing is known yet: look at no more rows than the retrieves that they may save would cost.
    const pageSize = Math.min(granted, Math.max(1, Math.floor((wanted - LIST_BASE_COST) / rowCost)));
    return { page: 1, pageSize, rows: pageSize, cost: listCost(pageSize, rowCost), expected: wanted };
  }

  function rankOf(pk: number, rows: number): number {
    const first = anchors[0];
    const last = anchors.at(-1);
    if (!first || !last || pk <= first.pk) return 1;
    if (pk > last.pk) {
      const density = last.pk > first.pk ? (last.rank - first.rank) / (last.pk - first.pk) : 1;
      return Math.min(rows, last.rank + Math.ceil((pk - last.pk) * density));
    }
    let low = 0;
    let high = anchors.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((anchors[middle]?.pk ?? 0) < pk) low = middle;
      else high = middle;
    }
    const before = anchors[low] ?? first;
    const after = anchors[high] ?? last;
    if (after.pk === before.pk) return after.rank;
    return Math.round(before.rank + ((pk - before.pk) / (after.pk - before.pk)) * (after.rank - before.rank));
  }

  return {
    count: () => count,
    pageSize: () => granted,
    choosePage(wanted, { rowCost, skip, allowance }) {
      if (count === null) return skip.size === 0 ? firstPage(wanted.size, rowCost) : null;
      const pages = Math.max(1, Math.ceil(count / granted));
      const rowsOf = (page: number) =>
        page < pages ? granted : Math.max(0, (count ?? 0) - (pages - 1) * granted);
      const expected = new Map<number, number>();
      let elsewhere = 0;
      for (const pk of wanted) {
        const page =
          anchors.length === 0 ? 0 : Math.min(pages, Math.max(1, Math.ceil(rankOf(pk, count) / granted)));
        if (page > 0 && skip.has(page)) elsewhere += 1;
        else expected.set(page, (expected.get(page) ?? 0) + 1);
      }
      let unread = 0;
      for (const page of skip) if (page <= pages) unread -= listCost(rowsOf(page), rowCost);
      unread += pages * LIST_BASE_COST + count * rowCost;
      const unsettled = wanted.size - elsewhere;
      const wholeListPays = unread > 0 && unread <= unsettled;

      const plans: PagePlan[] = [];
      const consider = (page: number, hits: number) => {
        if (skip.has(page) || page > pages) return;
        const rows = rowsOf(page);
        const cost = listCost(rows, rowCost);
        if (wholeListPays || (hits > cost && cost <= allowance)) {
          plans.push({ page, pageSize: granted, rows, cost, expected: hits });
        }
      };
      // Without a single anchor the keys are taken as spread evenly; page 1 then gives the first anchors.
      if (anchors.length === 0) consider(1, wanted.size / pages);
      for (const [page, hits] of expected) if (page > 0) consider(page, hits);
      if (wholeListPays && plans.length === 0) for (let page = 1; page <= pages; page += 1) consider(page, 0);
      let best = plans[0] ?? null;
      for (const plan of plans)
        if (best && plan.expected - plan.cost > best.expected - best.cost) best = plan;
      return best;
    },
    learn(page) {
      if (page.count !== count) anchors = [];
      count = page.count;
      if (page.rows === 0) return;
      if (page.next !== 0 && page.rows < page.asked) granted = page.rows;
      const known = new Map(anchors.map((anchor) => [anchor.pk, anchor.rank]));
      known.set(page.firstPk, page.startIndex);
      known.set(page.lastPk, page.startIndex + page.rows - 1);
      anchors = [...known]
        .map(([pk, rank]) => ({ pk, rank }))
        .sort((a, b) => a.pk - b.pk)
        // Rows come and go between two reads: what contradicts the newer page is forgotten.
        .filter((anchor, index, all) => index === 0 || anchor.rank > (all[index - 1]?.rank ?? 0));
    },
  };
}
