import { expect, test } from "vitest";
import { createRowCost } from "../../../src/authentik/lookup/row-cost.ts";

test("the usual cost counts until retrieves and long lists were measured", () => {
  const rowCost = createRowCost();
  expect(rowCost.current()).toBe(0.08);
  for (let index = 0; index < 10; index += 1) rowCost.note(100, 290);
  for (let index = 0; index < 10; index += 1) rowCost.note(3, 38);
  rowCost.note(null, 33);
  rowCost.note(null, 33);
  expect(rowCost.current()).toBe(0.08);
});

test("a row costs what a list takes beyond a retrieve; single odd answers do not count", () => {
  const rowCost = createRowCost();
  for (const latencyMs of [33, 35, 900, 32, 34]) rowCost.note(null, latencyMs);
  for (const latencyMs of [234, 5_000, 236, 232, 1]) rowCost.note(100, latencyMs);
  expect(rowCost.current()).toBeCloseTo(2 / 34, 2);
});

test("it stays between 0.02 and 0.25, and servers too fast to be measured have the usual one", () => {
  const [cheap, dear, fast] = [createRowCost(), createRowCost(), createRowCost()];
  for (let index = 0; index < 7; index += 1) {
    cheap.note(null, 100);
    cheap.note(100, 101);
    dear.note(null, 10);
    dear.note(100, 10_000);
    fast.note(null, 0.2);
    fast.note(100, 3);
  }
  expect([cheap.current(), dear.current(), fast.current()]).toEqual([0.02, 0.25, 0.08]);
});
