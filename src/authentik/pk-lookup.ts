import { LRUCache } from "lru-cache";
import type { AuthentikClient, RestGet } from "./client.ts";
import { createDirectory, type Directory, listCost, PAGE_SIZE, type PagePlan } from "./directory.ts";
import { AuthentikError, type AuthentikErrorKind } from "./errors.ts";
import { type Page, readPage } from "./page.ts";
import { perUpstream } from "./per-request.ts";
import { malformed, readObject, readPk } from "./shape.ts";

/** How one kind of object is looked up by its integer primary key. */
export interface PkLookupRoutes<T> {
  retrieve: (pk: number) => RestGet;
  /** A page of the list, ordered by primary key. */
  list: (page: { page: number; pageSize: number; rows: number }) => RestGet;
  /** @throws {AuthentikError} malformed-response */
  read: (body: unknown, path: string) => T;
}

/** Looks up many keys for one caller; every key has its own outcome, null for what the caller cannot see. */
export type PkLookup<T> = (
  client: AuthentikClient,
  pks: readonly number[],
) => Promise<(T | null | AuthentikError)[]>;

/** Callers whose lists are remembered, and for how long. Forgetting costs one page at the most. */
const REMEMBERED_CALLERS = 10_000;
const REMEMBERED_MS = 5 * 60_000;

/** Pages of one lookup in flight at once. */
const PAGES_IN_FLIGHT = 2;

/** A list that fails so would only fail again, key by key. */
const FAILS_EVERY_KEY: ReadonlySet<AuthentikErrorKind> = new Set([
  "unreachable",
  "starting",
  "timeout",
  "cancelled",
  "overloaded",
  "too-many-calls",
  "unauthenticated",
  "rate-limited",
]);

/**
 * Retrieves keys one by one, or reads the pages of the list that hold them, whichever costs authentik less.
 *
 * authentik has no lookup of several keys. Never costs more than the plain retrieves plus one page of 100 rows:
 * what guesses wasted is counted, and guessing ends there. Keys that no page settled are retrieved, so rows that move
 * between pages while they are read lose nothing.
 */
export function createPkLookup<T>(routes: PkLookupRoutes<T>): PkLookup<T> {
  const directories = perUpstream(
    () => new LRUCache<string, Directory>({ max: REMEMBERED_CALLERS, ttl: REMEMBERED_MS }),
  );

  const lookupMany: PkLookup<T> = async (client, pks) => {
    const settled = new Map<number, T | null | AuthentikError>();
    const wanted = new Set(pks);
    client.usage.keysFetched += wanted.size;
    if (client.upstream.list && wanted.size > 1) {
      const known = directories(client);
      let directory = known.get(client.callerKey);
      if (!directory) known.set(client.callerKey, (directory = createDirectory()));
      await pickFromList(client, routes, { wanted, settled, directory });
    }
    const settle = async (pk: number) => settled.set(pk, await retrieve(client, routes, pk));
    await Promise.all(Array.from(wanted, settle));
    return pks.map((pk) => settled.get(pk) ?? null);
  };

  return (client, pks) => {
    const [first] = pks;
    client.usage.keysRequested += pks.length;
    if (first === undefined || pks.length > 1) return lookupMany(client, pks);
    client.usage.keysFetched += 1;
    return retrieve(client, routes, first).then((outcome) => [outcome]);
  };
}

function retrieve<T>(
  client: AuthentikClient,
  routes: PkLookupRoutes<T>,
  pk: number,
): Promise<T | null | AuthentikError> {
  return client.get(routes.retrieve(pk)).then((body) => readRow(body, routes, "$"), outcomeOf);
}

/** What a failed retrieve says of its key. */
function outcomeOf(error: unknown): null | AuthentikError {
  if (!(error instanceof AuthentikError)) throw error;
  return error.kind === "not-found" ? null : error;
}

interface Progress<T> {
  /** Keys not settled yet. */
  wanted: Set<number>;
  settled: Map<number, T | null | AuthentikError>;
  directory: Directory;
}

async function pickFromList<T>(client: AuthentikClient, routes: PkLookupRoutes<T>, progress: Progress<T>) {
  const { wanted, settled, directory } = progress;
  const started = new Set<number>();
  const inFlight = new Map<number, Promise<void>>();
  const rowCost = client.upstream.rowCost();
  let wasted = 0;
  let reserved = 0;
  let failure: unknown;

  async function read(plan: PagePlan) {
    try {
      const page = readPage(await client.get(routes.list(plan)));
      client.usage.rowsListed += page.rows.length;
      const before = wanted.size;
      const ordered = settle(page, { asked: plan.pageSize, routes, progress });
      wasted += listCost(page.rows.length, rowCost) - (before - wanted.size);
      if (!ordered) throw malformed("$.results", "rows ordered by pk", page.rows);
      // A first look with a small page has not read the first page of the size that is read from now on.
      if (plan.pageSize < directory.pageSize()) started.delete(plan.page);
    } catch (error) {
      failure = error;
    } finally {
      reserved -= plan.cost;
      inFlight.delete(plan.page);
    }
  }

  while (wanted.size > 0 && failure === undefined) {
    const full = inFlight.size >= PAGES_IN_FLIGHT;
    const allowance = listCost(PAGE_SIZE, rowCost) - Math.max(0, wasted) - reserved;
    const plan = full ? null : directory.choosePage(wanted, { rowCost, skip: started, allowance });
    if (plan) {
      started.add(plan.page);
      reserved += plan.cost;
      inFlight.set(plan.page, read(plan));
    } else if (inFlight.size > 0) {
      await Promise.race(inFlight.values());
    } else break;
  }
  await Promise.all(inFlight.values());

  if (failure === undefined) return;
  if (!(failure instanceof AuthentikError)) throw failure;
  if (FAILS_EVERY_KEY.has(failure.kind)) {
    for (const pk of wanted) settled.set(pk, failure);
    wanted.clear();
  }
}

/** Settles every wanted key that the page decides. False where the page is not in order: then it says little. */
function settle<T>(
  page: Page,
  { asked, routes, progress }: { asked: number; routes: PkLookupRoutes<T>; progress: Progress<T> },
): boolean {
  const { wanted, settled, directory } = progress;
  const pks = page.rows.map((row, index) =>
    readPk(readObject(row, `$.results[${index}]`), "pk", `$.results[${index}]`),
  );
  page.rows.forEach((row, index) => {
    const pk = pks[index];
    if (pk === undefined || !wanted.has(pk)) return;
    settled.set(pk, readRow(row, routes, `$.results[${index}]`));
    wanted.delete(pk);
  });
  // Only an ascending page says that what lies between its rows is not there.
  if (pks.some((pk, index) => index > 0 && pk <= (pks[index - 1] ?? 0))) return false;
  const firstPk = pks[0] ?? 0;
  const lastPk = pks.at(-1) ?? 0;
  directory.learn({ ...page, asked, rows: pks.length, firstPk, lastPk });
  const from = page.startIndex <= 1 ? 0 : firstPk;
  const to = page.next === 0 ? Infinity : lastPk;
  for (const pk of wanted) {
    if (pk < from || pk > to) continue;
    settled.set(pk, null);
    wanted.delete(pk);
  }
  return true;
}

function readRow<T>(row: unknown, routes: PkLookupRoutes<T>, path: string): T | AuthentikError {
  try {
    return routes.read(row, path);
  } catch (error) {
    if (error instanceof AuthentikError) return error;
    throw error;
  }
}
