import { describe, expect, test } from "vitest";
import { createSimulatedLookup, pickKeys } from "./simulated-client.ts";

/** What docs/decisions/0001 promises, in virtual time: nothing here sleeps or measures, every run is the same. */

const SIZES = [10, 30, 100, 300, 1_000, 3_000, 10_000];
const RETRIEVE_MS = 33;

describe("50 keys for one caller, two workers", () => {
  /** Fifty plain retrieves. */
  const PLAIN_MS = (50 * RETRIEVE_MS) / 2;

  test.each(SIZES)("of %d rows take at most 1.1 times as long as plain retrieves", async (rows) => {
    const most = rows <= 100 ? 0.5 : 1.1;
    const { simulation, run } = createSimulatedLookup({ rows });
    const fifty = async (callerKey: string): Promise<number> => {
      const { ms, outcomes } = await run(callerKey, pickKeys(simulation, { keys: 50, rows }));
      expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(Math.min(50, rows));
      return ms / PLAIN_MS;
    };
    // Nobody has seen the list yet: its first page tells how long it is.
    expect(await fifty("caller")).toBeLessThanOrEqual(rows <= 100 ? 0.5 : 1.4);
    for (let operation = 2; operation <= 10; operation += 1) {
      expect(await fifty("caller")).toBeLessThanOrEqual(most);
    }
    for (let other = 1; other <= 3; other += 1) {
      expect(await fifty(`first operation of caller ${other}`)).toBeLessThanOrEqual(most);
    }
  });
});

describe("what authentik spends on the second operation of a caller", () => {
  const grid = SIZES.flatMap((rows) =>
    [3, rows].flatMap((visible) =>
      [1, 2, 3, 5, 10, 20, 50, 100, 200, 500].map((keys) => ({ rows, visible, keys })),
    ),
  );

  test("is at most 1.3 of the cheaper way in hindsight, 1.05 on average, and never more than retrieves and a page", async () => {
    const ratios: number[] = [];
    for (const { rows, visible, keys } of grid) {
      const { simulation, run } = createSimulatedLookup({ rows, visible });
      const pks = [pickKeys(simulation, { keys, rows }), pickKeys(simulation, { keys, rows })] as const;
      const first = await run("caller", pks[0]);
      const second = await run("caller", pks[1]);
      expect(second.outcomes).toEqual(pks[1].map((pk) => (pk <= visible ? { pk } : null)));
      for (const { costMs } of [first, second]) {
        expect(costMs).toBeLessThanOrEqual(keys * RETRIEVE_MS + 30 + 2.6 * 100);
      }
      const wholeListMs = Math.ceil(visible / 100) * 30 + 2.6 * visible;
      ratios.push(second.costMs / Math.min(keys * RETRIEVE_MS, wholeListMs));
    }
    expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeLessThanOrEqual(1.05);
    expect(Math.max(...ratios)).toBeLessThanOrEqual(1.3);
  });
});
