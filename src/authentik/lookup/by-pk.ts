import type { AuthentikClient } from "../client.ts";
import type { UpstreamRequest } from "../request.ts";
import { AuthentikError, orError, outcomeOf } from "../authentik-error.ts";
import { perCaller, perUpstream } from "../per-request.ts";
import { malformed, decodeObject, decodePk } from "../decoders.ts";
import {
  createPagePlanner,
  PAGE_SIZE,
  pageCost,
  type PagePlanner,
  type PageRequest,
} from "./page-planner.ts";
import { decodePage, failsEveryKey, type ListRoute } from "./list-pages.ts";

/** How one kind of object is looked up by its integer primary key, and a list of them that is ordered by it. */
export interface PkLookupRoutes<T> extends ListRoute<T> {
  retrieve: (pk: number) => UpstreamRequest;
}

/** What became of one key; null: the caller cannot see it. */
type Outcome<T> = T | null | AuthentikError;

/**
 * Looks up many keys for one caller, each with its own outcome, in the order of the keys.
 *
 * Retrieves keys one by one, or reads the pages of the list that hold them, whichever costs authentik less.
 *
 * authentik has no lookup of several keys. Never costs more than the plain retrieves plus one page of 100 rows: what guesses
 * cost beyond the keys that they settled is added up, and guessing ends there. Keys that no page settled are retrieved, so rows
 * that move between pages while they are read lose nothing.
 */
export function createPkLookup<T>(routes: PkLookupRoutes<T>) {
  const planners = perCaller<PagePlanner>();
  const knowledge = perUpstream(() => ({ areListsLong: false }));

  const lookupMany = async (
    client: AuthentikClient,
    wanted: Set<number>,
  ): Promise<Map<number, Outcome<T>>> => {
    const outcomes = new Map<number, Outcome<T>>();
    const known = knowledge(client);
    let planner = planners.get(client);
    if (!planner) planners.set(client, (planner = createPagePlanner()));
    const read = new Set<number>();
    const rowCost = client.upstream.rowCost() * (routes.rowWeight ?? 1);
    /** What the pages cost, less the keys that they settled. */
    let wasted = 0;
    let isListUseful = client.upstream.list;

    const retrieveKey = async (pk: number): Promise<void> => {
      wanted.delete(pk);
      outcomes.set(pk, await retrieve(client, routes, pk));
    };

    const readPage = async (request: PageRequest): Promise<void> => {
      try {
        const body = await client.get(routes.list(request));
        const page = decodePkPage(body, (row, path) => routes.decode(row, path, client));
        wasted += pageCost(page.pks.length, rowCost) - settle(page, wanted, outcomes);
        isListUseful &&= page.isComplete;
        if (!page.isComplete) return;
        planner.learn({ ...page, asked: request.pageSize });
        if (page.count > PAGE_SIZE) known.areListsLong = true;
        // A small first look has not read the first page of the size that is read from now on.
        if (request.pageSize >= planner.pageSize()) read.add(request.page);
      } catch (error) {
        if (!(error instanceof AuthentikError)) throw error;
        isListUseful = false;
        if (!failsEveryKey(routes, error)) return;
        for (const pk of wanted) outcomes.set(pk, error);
        wanted.clear();
      }
    };

    const lookup = async (): Promise<void> => {
      const { areListsLong } = known;
      const allowance = pageCost(PAGE_SIZE, rowCost) - wasted;
      const { pages, retrieve } = isListUseful
        ? planner.plan({ wanted, read, rowCost, allowance, areListsLong })
        : { pages: [], retrieve: [...wanted] };
      const retrieving = retrieve.map(retrieveKey);
      await Promise.all([...retrieving, thenGoOn(pages.map(readPage))]);
    };
    const thenGoOn = async (reading: readonly Promise<void>[]): Promise<void> => {
      await Promise.all(reading);
      if (wanted.size > 0) await lookup();
    };
    await lookup();
    return outcomes;
  };

  return async (client: AuthentikClient, pks: readonly number[]): Promise<Outcome<T>[]> => {
    const wanted = new Set(pks);
    const [first] = pks;
    if (first !== undefined && wanted.size === 1) {
      const outcome = await retrieve(client, routes, first);
      return pks.map(() => outcome);
    }
    const outcomes = await lookupMany(client, wanted);
    return pks.map((pk) => outcomes.get(pk) ?? null);
  };
}

async function retrieve<T>(
  client: AuthentikClient,
  routes: PkLookupRoutes<T>,
  pk: number,
): Promise<Outcome<T>> {
  const decode = (body: unknown): T => {
    const found = decodePk(decodeObject(body, "$"), "pk", "$");
    if (found !== pk) throw malformed("$.pk", "the key that was asked for", found);
    return routes.decode(body, "$", client);
  };
  const outcome = await orError(client.get(routes.retrieve(pk)).then(decode));
  return outcome instanceof AuthentikError && outcome.kind === "not-found" ? null : outcome;
}

type PkPage<T> = ReturnType<typeof decodePkPage<T>>;

/**
 * A page of a list ordered by an integer primary key, of rows that are decoded when they are wanted.
 * @param decode a row. @throws {AuthentikError} malformed-response
 * @throws {AuthentikError} malformed-response, for what is no page
 */
function decodePkPage<T>(body: unknown, decode: (row: unknown, path: string) => T) {
  const { rows, ...page } = decodePage(body);
  const pks = rows.map((row, index) => {
    const path = `$.results[${index}]`;
    return decodePk(decodeObject(row, path), "pk", path);
  });
  const indexes = new Map(pks.map((pk, index) => [pk, index]));
  const isAscending = pks.every((pk, index) => pk > (pks[index - 1] ?? 0));
  return {
    ...page,
    pks,
    /** As for any page, and the keys ascend: what lies between two rows does not exist. */
    isComplete: page.isComplete && isAscending,
    /** What the row of this key holds, or what is wrong with it; undefined where there is no such row. */
    outcomeOf(pk: number): T | AuthentikError | undefined {
      const index = indexes.get(pk);
      return index === undefined ? undefined : outcomeOf(() => decode(rows[index], `$.results[${index}]`));
    },
  };
}

/**
 * Settles every wanted key that the page decides: its rows, and what lies between them, before the first page and after the last.
 * @returns how many those were
 */
function settle<T>(page: PkPage<T>, wanted: Set<number>, outcomes: Map<number, Outcome<T>>): number {
  const from = page.startIndex <= 1 ? 0 : (page.pks[0] ?? 0);
  const to = page.next === 0 ? Infinity : (page.pks.at(-1) ?? 0);
  const before = wanted.size;
  for (const pk of wanted) {
    const outcome = page.outcomeOf(pk);
    const isDecided = outcome !== undefined || (page.isComplete && pk >= from && pk <= to);
    if (!isDecided) continue;
    outcomes.set(pk, outcome ?? null);
    wanted.delete(pk);
  }
  return before - wanted.size;
}
