import { expect, test } from "vitest";
import { runFuzz } from "./properties.ts";

/** For nights: `FUZZ_MINUTES=60 npm run test:long`. */
const MINUTES = Number(process.env["FUZZ_MINUTES"] ?? 0);

// What nobody catches fails the run.
test("18,000 inputs, the same in every run, keep every promise", async () => {
  expect(await runFuzz({ cases: 18_000, seed: 42 })).toBeGreaterThanOrEqual(18_000);
}, 240_000);

test(
  `2,000 inputs, or ${MINUTES} minutes of them, different in every run, keep every promise`,
  async () => {
    const endsAt = performance.now() + MINUTES * 60_000;
    do {
      const seed = Date.now() % 2 ** 31;
      console.log(`fuzz: random seed ${seed}`);
      expect(await runFuzz({ cases: 2_000, seed })).toBeGreaterThanOrEqual(2_000);
    } while (performance.now() < endsAt);
  },
  120_000 + MINUTES * 60_000,
);
