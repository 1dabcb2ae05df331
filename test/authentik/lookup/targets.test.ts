import { describe, expect, test } from "vitest";
import type { Authentik, AuthentikClient } from "../../../src/authentik/client.ts";
import { AuthentikError } from "../../../src/authentik/authentik-error.ts";
import { createPkLookup } from "../../../src/authentik/lookup/by-pk.ts";
import { listRoute } from "../../../src/authentik/lookup/list-pages.ts";
import { createRowCost } from "../../../src/authentik/lookup/page-planner.ts";
import { decodeObject, decodePk } from "../../../src/authentik/decoders.ts";
import { createTally, createUsage } from "../../../src/authentik/usage.ts";
import { listBody } from "../../support/wire-bodies.ts";
import { createSimulatedGateway, listOf, RETRIEVE } from "../scheduler/simulation.ts";

/** What docs/decisions/0001 promises, in virtual time: nothing here sleeps or measures, every run is the same. */

/**
 * The real lookup over the real queue and limit, in front of a simulated authentik of two workers, whose list has the keys
 * 1 to `rows`, of which callers see the first `visible`.
 */
function createSimulatedLookup({ rows, visible = rows }: { rows: number; visible?: number }) {
  const { simulation, spentMs, send } = createSimulatedGateway(2);

  function answer(path: string) {
    const { pathname, searchParams } = new URL(path, "http://authentik");
    const pk = Number(/(\d+)\/$/.exec(pathname)?.[1] ?? 0);
    if (pk > 0) return pk <= visible && { body: { pk }, rows: 1 };
    const [page, pageSize] = [Number(searchParams.get("page")), Number(searchParams.get("page_size"))];
    const before = (page - 1) * pageSize;
    const length = Math.max(0, Math.min(pageSize, visible - before));
    const found = Array.from({ length }, (_, index) => ({ pk: before + 1 + index }));
    return length > 0 && { body: listBody(found, { page, pageSize, count: visible }), rows: length };
  }

  // Only what a lookup asks of it.
  const upstream = { list: true, rowCost: () => 0.08 } as Authentik;
  const clientOf = (callerKey: string): AuthentikClient => ({
    callerKey,
    upstream,
    ...createTally(createUsage()),
    memory: new Map(),
    delete: () => Promise.reject(new Error("nothing is deleted here")),
    abort() {},
    get: ({ path, rows: isList }) =>
      new Promise((resolve, reject) => {
        const found = answer(path);
        send(callerKey, isList ? listOf(found ? found.rows : 0) : RETRIEVE, () => {
          if (found) resolve(found.body);
          else reject(new AuthentikError("not-found", "no such thing"));
        });
      }),
  });
  const lookup = createPkLookup<{ pk: number }>({
    retrieve: (pk) => ({ route: "/things/{id}/", path: `/things/${pk}/` }),
    ...listRoute("/things/", "", (row, path) => ({ pk: decodePk(decodeObject(row, path), "pk", path) })),
  });

  return {
    /** So many keys that exist, as far as there are any, then keys that do not. */
    pickKeys: (keys: number): number[] => {
      const picked = new Set<number>();
      while (picked.size < Math.min(keys, rows)) picked.add(1 + Math.floor(simulation.random() * rows));
      for (let pk = rows + 1; picked.size < keys; pk += 1) picked.add(pk);
      return [...picked];
    },
    /** One operation. */
    run: async (callerKey: string, pks: readonly number[]) => {
      const [startedAt, spentBefore] = [simulation.now(), spentMs()];
      const outcomes = await simulation.settle(lookup(clientOf(callerKey), pks));
      expect(outcomes).toEqual(pks.map((pk) => (pk <= visible ? { pk } : null)));
      return { ms: simulation.now() - startedAt, costMs: spentMs() - spentBefore };
    },
  };
}

const SIZES = [10, 30, 100, 300, 1_000, 3_000, 10_000];
const RETRIEVE_MS = 33;

describe("50 keys for one caller, two workers", () => {
  /** Fifty plain retrieves. */
  const PLAIN_MS = (50 * RETRIEVE_MS) / 2;

  test.each(SIZES)("of %d rows take at most 1.1 times as long as plain retrieves", async (rows) => {
    const most = rows <= 100 ? 0.5 : 1.1;
    const { pickKeys, run } = createSimulatedLookup({ rows });
    const fifty = async (callerKey: string) => (await run(callerKey, pickKeys(50))).ms / PLAIN_MS;
    // Nobody has seen the list yet: its first page tells how long it is.
    expect(await fifty("caller")).toBeLessThanOrEqual(rows <= 100 ? 0.5 : 1.4);
    for (let operation = 2; operation <= 10; operation += 1)
      expect(await fifty("caller")).toBeLessThanOrEqual(most);
    for (let other = 1; other <= 3; other += 1)
      expect(await fifty(`first operation of caller ${other}`)).toBeLessThanOrEqual(most);
  });
});

test("a caller's second operation costs at most 1.3 of the cheaper way in hindsight, 1.05 on average, and none more than retrieves and a page", async () => {
  const ratios: number[] = [];
  for (const rows of SIZES) {
    for (const visible of [3, rows]) {
      for (const keys of [1, 2, 3, 5, 10, 20, 50, 100, 200, 500]) {
        const { pickKeys, run } = createSimulatedLookup({ rows, visible });
        const first = await run("caller", pickKeys(keys));
        const second = await run("caller", pickKeys(keys));
        for (const { costMs } of [first, second])
          expect(costMs).toBeLessThanOrEqual(keys * RETRIEVE_MS + 30 + 2.6 * 100);
        const wholeListMs = Math.ceil(visible / 100) * 30 + 2.6 * visible;
        ratios.push(second.costMs / Math.min(keys * RETRIEVE_MS, wholeListMs));
      }
    }
  }
  expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeLessThanOrEqual(1.05);
  expect(Math.max(...ratios)).toBeLessThanOrEqual(1.3);
});

function rowCostAfter(retrieves: readonly number[], listsOf100: readonly number[]): number {
  const rowCost = createRowCost();
  for (const latencyMs of retrieves) rowCost.observe(null, latencyMs);
  for (const latencyMs of listsOf100) rowCost.observe(100, latencyMs);
  return rowCost.current();
}

test("a row costs what a list takes beyond a retrieve, by its rows; single odd answers do not count", () => {
  expect(rowCostAfter([33, 35, 900, 32, 34], [234, 5_000, 236, 232, 1])).toBeCloseTo(2 / 34, 2);
});

test.each([
  [0.02, "at least", 100, 101],
  [0.25, "at most", 10, 10_000],
  [0.08, "while retrieves are too fast to be measured", 0.2, 3],
])("it is %d %s", (cost, _when, retrieveMs, listMs) => {
  expect(rowCostAfter(Array(7).fill(retrieveMs), Array(7).fill(listMs))).toBe(cost);
  expect(rowCostAfter([retrieveMs, retrieveMs], Array(7).fill(listMs))).toBe(0.08);
});
