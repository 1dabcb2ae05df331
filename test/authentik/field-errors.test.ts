import { expect, test } from "vitest";
import { decodeFieldErrors } from "../../src/authentik/field-errors.ts";

test.each([
  [{ identifier: ["This field is required."] }, { identifier: ["This field is required."] }],
  [
    { non_field_errors: ["a", "b"], code: "c" },
    { non_field_errors: ["a", "b"], code: "c" },
  ],
  [{ detail: "Built-in sources cannot be deleted" }, { detail: "Built-in sources cannot be deleted" }],
  [["x"], ["x"]],
  [{ nested: { user: ['Invalid pk "9"'] } }, { nested: { user: ['Invalid pk "9"'] } }],
  [[{ user: ["a"] }, {}], [{ user: ["a"] }]],
])("keeps %j", (body, errors) => {
  expect(decodeFieldErrors(body)).toEqual(errors);
});

test.each([
  undefined,
  null,
  "text",
  5,
  {},
  [],
  { plex_token: "secret" },
  { pk: 5, user: null },
  { a: { b: { c: { d: { e: { f: { g: ["deep"] } } } } } } },
])("leaves out %j", (body) => {
  expect(decodeFieldErrors(body)).toBeUndefined();
});

test("bounds texts and entries", () => {
  const errors = decodeFieldErrors({ a: Array.from({ length: 1_000 }, () => "x".repeat(10_000)) });
  expect(JSON.stringify(errors).length).toBeLessThan(50 * 510);
});
