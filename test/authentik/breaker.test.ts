import { beforeEach, expect, test } from "vitest";
import { createBreaker, type Breaker } from "../../src/authentik/breaker.ts";

let time: number;
let breaker: Breaker;
beforeEach(() => {
  time = 123_456;
  breaker = createBreaker(() => time);
});

function record(outcome: "success" | "failure" | "neutral", times: number): void {
  for (let index = 0; index < times; index += 1) breaker.record("normal", outcome);
}

test("opens when half of at least ten calls in five seconds failed; what tells nothing does not count", () => {
  record("failure", 9);
  record("neutral", 100);
  time += 5_100;
  record("success", 5);
  record("failure", 4);
  expect([breaker.state(), breaker.admit()]).toEqual(["closed", "normal"]);
  record("failure", 1);
  expect([breaker.state(), breaker.admit()]).toEqual(["open", 1_000]);
});

test("lets a single call try after the pause, and another one where that told nothing", () => {
  record("failure", 10);
  time += 1_000;
  expect([breaker.state(), breaker.admit(), breaker.admit()]).toEqual(["half-open", "trial", 1_000]);
  // Answers to calls that were sent before it opened change nothing.
  record("success", 3);
  expect(breaker.state()).toBe("half-open");
  breaker.record("trial", "neutral");
  expect(breaker.admit()).toBe("trial");
  breaker.record("trial", "success");
  expect([breaker.state(), breaker.admit(), breaker.admit()]).toEqual(["closed", "normal", "normal"]);
});

test("every failed try doubles the pause, up to eight seconds; closing forgets that", () => {
  const pauses: number[] = [];
  record("failure", 10);
  for (let trial = 1; trial <= 6; trial += 1) {
    pauses.push(breaker.blockedMs());
    time += breaker.blockedMs();
    breaker.admit();
    breaker.record("trial", trial === 6 ? "success" : "failure");
  }
  record("failure", 10);
  expect([...pauses, breaker.blockedMs()]).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 1_000]);
});
