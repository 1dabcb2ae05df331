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

test("opens when half of at least ten calls failed, and says for how long", () => {
  record("success", 5);
  record("failure", 4);
  expect([breaker.state(), breaker.admit()]).toEqual(["closed", "normal"]);
  record("failure", 1);
  expect([breaker.state(), breaker.admit(), breaker.blockedMs()]).toEqual(["open", 1_000, 1_000]);
  time += 400;
  expect(breaker.blockedMs()).toBe(600);
});

test("few calls are no statistics, and what tells nothing does not count", () => {
  record("failure", 9);
  record("neutral", 100);
  expect(breaker.state()).toBe("closed");
});

test("failures are forgotten after five seconds", () => {
  record("failure", 9);
  time += 5_100;
  record("failure", 9);
  expect(breaker.state()).toBe("closed");
  time += 60_000;
  record("failure", 9);
  expect(breaker.state()).toBe("closed");
});

test("lets a single call try, and closes when that one is answered", () => {
  record("failure", 10);
  time += 1_000;
  expect(breaker.state()).toBe("half-open");
  expect(breaker.admit()).toBe("trial");
  expect(breaker.admit()).toBeGreaterThan(0);
  // Answers to calls that were sent before it opened change nothing.
  record("success", 3);
  expect(breaker.state()).toBe("half-open");
  breaker.record("trial", "success");
  expect([breaker.state(), breaker.admit(), breaker.admit()]).toEqual(["closed", "normal", "normal"]);
});

test("every failed try doubles the pause, up to eight seconds; closing forgets that", () => {
  record("failure", 10);
  const pauses: number[] = [];
  for (let index = 0; index < 6; index += 1) {
    pauses.push(breaker.blockedMs());
    time += breaker.blockedMs();
    breaker.admit();
    breaker.record("trial", "failure");
  }
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  time += 8_000;
  breaker.admit();
  breaker.record("trial", "success");
  record("failure", 10);
  expect(breaker.blockedMs()).toBe(1_000);
});

test("a try that its caller gave up leaves the next call to try", () => {
  record("failure", 10);
  time += 1_000;
  expect(breaker.admit()).toBe("trial");
  breaker.record("trial", "neutral");
  expect(breaker.admit()).toBe("trial");
});
