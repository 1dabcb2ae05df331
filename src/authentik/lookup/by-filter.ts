import type { AuthentikClient } from "../client.ts";
import { AuthentikError, orError } from "../authentik-error.ts";
import { perCaller } from "../per-request.ts";
import { LIST_BASE_COST, PAGE_SIZE } from "./page-planner.ts";
import { failsEveryKey, type ListRoute, readPage, readWholeList } from "./list-pages.ts";

/** How objects are looked up by something that authentik's list can be filtered by, one value a call. */
export interface FilterLookupRoutes<K, T> extends ListRoute<T> {
  /** What the objects of the list are looked up by. */
  keyOf: (row: T) => K;
  /**
   * The objects of one key, asked with a filter and checked against it; null where this authentik has no such filter.
   * @throws {AuthentikError}
   */
  filter: (client: AuthentikClient, key: K, maxRows: number) => Promise<readonly T[] | null>;
}

/**
 * Looks up the objects of each key, as the caller sees them; every key has its own outcome.
 *
 * Asks for few keys one by one, and picks many from the whole list where that costs authentik less. Where a list fails, as one
 * with a single row that cannot be read does, each key is asked for unless that would fail as well.
 * A first look at a list of unknown length costs no more than the calls that it may save.
 */
export function createFilterLookup<K extends number | string, T extends { readonly pk: number | string }>(
  routes: FilterLookupRoutes<K, T>,
) {
  /** Rows of each caller's list. */
  const lengths = perCaller<number>();

  /** The whole list, where it is worth it; null where it is not. */
  async function readListIfCheaper(
    client: AuthentikClient,
    keys: number,
    maxRows: number,
  ): Promise<readonly T[] | null> {
    if (keys < 2 || !client.upstream.list) return null;
    const rowCost = client.upstream.rowCost() * (routes.rowWeight ?? 1);
    const pays = (rows: number) =>
      rows <= maxRows && Math.max(1, Math.ceil(rows / PAGE_SIZE)) * LIST_BASE_COST + rows * rowCost <= keys;
    const known = lengths.get(client);
    if (known !== undefined && !pays(known)) return null;
    const affordable = Math.max(1, Math.floor((keys - LIST_BASE_COST) / rowCost));
    const pageSize = Math.min(PAGE_SIZE, known === undefined ? affordable : PAGE_SIZE);
    const first = await readPage(client, routes, { page: 1, pageSize });
    lengths.set(client, first.count);
    if (first.next === 0) return first.rows;
    if (!pays(first.count)) return null;
    return readWholeList(client, routes, { maxRows, ...(pageSize === PAGE_SIZE ? { first } : {}) });
  }

  return async (
    client: AuthentikClient,
    keys: readonly K[],
    maxRows: number,
  ): Promise<(readonly T[] | AuthentikError)[]> => {
    const wanted = [...new Set(keys)];
    const outcomes = new Map<K, readonly T[] | AuthentikError>();
    /** Asks for one key. Whether that could not be done, because authentik has no such filter. */
    const lacksFilter = async (key: K): Promise<boolean> => {
      const rows = await orError(routes.filter(client, key, maxRows));
      if (rows) outcomes.set(key, rows);
      return rows === null;
    };
    const look = async (): Promise<void> => {
      const sparing = await orError(readListIfCheaper(client, wanted.length, maxRows));
      if (sparing instanceof AuthentikError && failsEveryKey(routes, sparing)) throw sparing;
      let list = sparing;
      if (list === null || list instanceof AuthentikError) {
        const [first, ...others] = wanted;
        if (first === undefined) return;
        // One response tells whether there is a filter, and whether the others would fail as well.
        const isFirstLacking = await lacksFilter(first);
        const said = outcomes.get(first);
        if (said instanceof AuthentikError && failsEveryKey(routes, said)) throw said;
        if (!isFirstLacking && !(await Promise.all(others.map(lacksFilter))).includes(true)) return;
        if (list !== null) throw list;
        list = await readWholeList(client, routes, { maxRows });
      }
      const rows = new Map<K, T[]>(wanted.map((key) => [key, []]));
      for (const row of list) rows.get(routes.keyOf(row))?.push(row);
      for (const [key, some] of rows) if (!outcomes.has(key)) outcomes.set(key, some);
    };
    const failure = await orError(look());
    return keys.map((key) => outcomes.get(key) ?? failure ?? []);
  };
}
