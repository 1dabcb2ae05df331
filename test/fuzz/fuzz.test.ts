import { expect, test } from "vitest";
import { PROPERTIES } from "./properties.ts";
import { runFuzz } from "./run.ts";

test("the shares of all properties make up the whole", () => {
  expect(PROPERTIES.reduce((sum, { share }) => sum + share, 0)).toBe(100);
});

// What nobody catches fails the run.
test("18,000 inputs, the same in every run, keep every promise", async () => {
  expect(await runFuzz({ cases: 18_000, seed: 42 })).toBeGreaterThanOrEqual(18_000);
}, 240_000);

test("2,000 inputs, different in every run, keep every promise", async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`fuzz: random seed ${seed}`);
  expect(await runFuzz({ cases: 2_000, seed })).toBeGreaterThanOrEqual(2_000);
}, 120_000);
