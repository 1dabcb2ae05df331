import { LRUCache } from "lru-cache";
import type { AuthentikClient, UpstreamRequest } from "./client.ts";
import { createDirectory, type Directory, listCost, PAGE_SIZE, type PagePlan } from "./directory.ts";
import { AuthentikError, type AuthentikErrorKind } from "./errors.ts";
import { perUpstream } from "./per-request.ts";
import { createPageReader, type PkPage, readOutcome } from "./pk-page.ts";
import { malformed } from "./decoders.ts";

/** How one kind of object is looked up by its integer primary key. */
export interface PkLookupRoutes<T> {
  retrieve: (pk: number) => UpstreamRequest;
  /** A page of the list, ordered by primary key. */
  list: (page: { page: number; pageSize: number; rows: number }) => UpstreamRequest;
  /** @throws {AuthentikError} malformed-response */
  read: (body: unknown, path: string) => T;
  /** What a row of the list costs authentik, in rows of connections. Default 1. */
  rowWeight?: number;
  /** Whether who may not list anything may not retrieve it either, by any key. Default false. */
  isForbiddenAsWhole?: boolean;
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
  const pageOf = createPageReader(routes.read);

  const lookupMany: PkLookup<T> = async (client, pks) => {
    const settled = new Map<number, T | null | AuthentikError>();
    const wanted = new Set(pks);
    client.usage.keysFetched += wanted.size;
    if (client.upstream.list && wanted.size > 1) {
      const known = directories(client);
      let directory = known.get(client.callerKey);
      if (!directory) known.set(client.callerKey, (directory = createDirectory()));
      await pickFromList(client, { ...routes, pageOf }, { wanted, settled, directory });
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
  return client.get(routes.retrieve(pk)).then((body) => readOutcome(routes.read, body, "$"), outcomeOf);
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

async function pickFromList<T>(
  client: AuthentikClient,
  {
    list,
    pageOf,
    rowWeight = 1,
    isForbiddenAsWhole = false,
  }: Pick<PkLookupRoutes<T>, "list" | "rowWeight" | "isForbiddenAsWhole"> & {
    pageOf: (body: unknown) => PkPage<T>;
  },
  progress: Progress<T>,
) {
  const { wanted, settled, directory } = progress;
  const started = new Set<number>();
  const inFlight = new Map<number, Promise<void>>();
  const rowCost = client.upstream.rowCost() * rowWeight;
  let wasted = 0;
  let reserved = 0;
  let failure: unknown;

  async function read(plan: PagePlan) {
    try {
      const page = pageOf(await client.get(list(plan)));
      client.usage.rowsListed += page.pks.length;
      const before = wanted.size;
      settle(page, { asked: plan.pageSize, progress });
      wasted += listCost(page.pks.length, rowCost) - (before - wanted.size);
      if (!page.ordered) throw malformed("$.results", "rows ordered by pk", page.pks);
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
  if (FAILS_EVERY_KEY.has(failure.kind) || (isForbiddenAsWhole && failure.kind === "forbidden")) {
    for (const pk of wanted) settled.set(pk, failure);
    wanted.clear();
  }
}

/** Settles every wanted key that the page decides. */
function settle<T>(page: PkPage<T>, { asked, progress }: { asked: number; progress: Progress<T> }): void {
  const { wanted, settled, directory } = progress;
  for (const pk of wanted) {
    const outcome = page.outcomeOf(pk);
    if (outcome === undefined) continue;
    settled.set(pk, outcome);
    wanted.delete(pk);
  }
  // Only an ascending page says that what lies between its rows is not there.
  if (!page.ordered) return;
  const { startIndex, next, count, pks } = page;
  const firstPk = pks[0] ?? 0;
  const lastPk = pks.at(-1) ?? 0;
  directory.learn({ asked, startIndex, next, count, rows: pks.length, firstPk, lastPk });
  const from = startIndex <= 1 ? 0 : firstPk;
  const to = next === 0 ? Infinity : lastPk;
  for (const pk of wanted) {
    if (pk < from || pk > to) continue;
    settled.set(pk, null);
    wanted.delete(pk);
  }
}
