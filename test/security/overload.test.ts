import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createOverloadGuard } from "../../src/server/overload.ts";

test("operations in flight up to the bound are let in, the next one is told when to come back", () => {
  const guard = createOverloadGuard({ maxOperationsInFlight: 3 });
  expect(guard.refuse(2)).toBeNull();
  expect(guard.refuse(3)).toMatchObject({ status: 503, code: "OVERLOADED", headers: ["Retry-After", "1"] });
  guard.close();
});

test("a loop that stays blocked sheds, one that was blocked once does not, and it recovers", async () => {
  const guard = createOverloadGuard({ maxOperationsInFlight: 3, maxLoopDelayMs: 60, windowMs: 100 });
  block(150);
  await sleep(150);
  expect(guard.refuse(0)).toBeNull();
  for (let round = 0; round < 12 && guard.refuse(0) === null; round++) {
    block(120);
    await sleep(1);
  }
  expect(guard.refuse(0)).toMatchObject({ status: 503 });
  for (let round = 0; round < 50 && guard.refuse(0) !== null; round++) await sleep(100);
  expect(guard.refuse(0)).toBeNull();
  guard.close();
});

function block(forMs: number): void {
  const until = performance.now() + forMs;
  while (performance.now() < until);
}
