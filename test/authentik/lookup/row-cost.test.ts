import { expect, test } from "vitest";
import { createRowCost } from "../../../src/authentik/lookup/page-planner.ts";

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
