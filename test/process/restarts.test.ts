import { expect, test } from "vitest";
import { createRestarts } from "../../src/cluster/restarts.ts";

test("a worker that keeps failing is started again ever later, one that was well for a while at once", () => {
  let nowMs = 0;
  const restarts = createRestarts(() => nowMs);
  const delays = Array.from({ length: 9 }, () => {
    nowMs += 1000;
    return restarts.next(1);
  });
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  expect(restarts.next(2)).toBe(100);
  nowMs += 60_000;
  expect(restarts.next(1)).toBe(100);
  expect(restarts.count()).toBe(11);
});
