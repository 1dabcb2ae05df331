import { expect, test } from "vitest";
import { toPythonInt } from "../../src/sandbox/python-int.ts";

test.each([
  ["5", 5n],
  ["05", 5n],
  ["+5", 5n],
  ["-5", -5n],
  [" 5\n", 5n],
  ["1_0", 10n],
  ["٥", 5n],
  ["５", 5n],
  ["१२", 12n],
  ["𝟙𝟬", 10n],
  ["9".repeat(4300), BigInt("9".repeat(4300))],
])("%j is an integer for Python", (text, value) => {
  expect(toPythonInt(text)).toBe(value);
});

test.each(["", " ", "abc", "5.0", "1e3", "1__0", "_1", "1_", "+-5", "5\0", "²", "9".repeat(4301)])(
  "%j is none",
  (text) => {
    expect(toPythonInt(text)).toBeNull();
  },
);
