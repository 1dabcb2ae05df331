import { expect, test } from "vitest";
import { AuthentikError } from "../../../src/authentik/authentik-error.ts";
import { decodePkPage } from "../../../src/authentik/lookup/list-page.ts";
import { decodePk, decodeObject } from "../../../src/authentik/decoders.ts";

const body = (pks: readonly unknown[]): object => ({
  pagination: { next: 0, count: pks.length, start_index: Math.min(1, pks.length), end_index: pks.length },
  results: pks.map((pk) => ({ pk, user: pk === 2 ? "wrong" : 9 })),
});

const pageOf = (value: unknown) =>
  decodePkPage(value, (row, path) => decodePk(decodeObject(row, path), "user", path));

test("a wrong row is wrong for its key alone", () => {
  const page = pageOf(body([1, 2]));
  expect(page.outcomeOf(2)).toMatchObject({
    kind: "malformed-response",
    detail: "$.results[1].user: expected a positive 32-bit integer, got string",
  });
  expect(page.outcomeOf(1)).toBe(9);
  expect(page.outcomeOf(3)).toBeUndefined();
});

test.each([
  [[1, 2, 5], true],
  [[], true],
  [[1, 5, 2], false],
  [[1, 1], false],
])("%j is complete: %s", (pks, isComplete) => {
  expect(pageOf(body(pks))).toMatchObject({ pks, isComplete });
});

test.each([null, 5, {}, body(["1"]), body([null])])("%j is no page", (value) => {
  expect(() => pageOf(value)).toThrow(AuthentikError);
});
