import { expect, test } from "vitest";
import { AuthentikError } from "../../../src/authentik/errors.ts";
import { createPkPageDecoder } from "../../../src/authentik/lookup/page.ts";
import { decodePk, decodeObject } from "../../../src/authentik/decoders.ts";

const body = (pks: readonly unknown[]): object => ({
  pagination: { next: 0, count: pks.length, start_index: Math.min(1, pks.length), end_index: pks.length },
  results: pks.map((pk) => ({ pk, user: pk === 2 ? "wrong" : 9 })),
});

function createDecoder(): { pageOf: ReturnType<typeof createPkPageDecoder<number>>; decoded: string[] } {
  const decoded: string[] = [];
  const pageOf = createPkPageDecoder((row, path) => {
    decoded.push(path);
    return decodePk(decodeObject(row, path), "user", path);
  });
  return { pageOf, decoded };
}

test("a row is decoded when it is wanted, and once for all who share the answer", () => {
  const { pageOf, decoded } = createDecoder();
  const shared = body([1, 3, 7]);
  expect(pageOf(shared).outcomeOf(3)).toBe(9);
  expect(pageOf(shared).outcomeOf(3)).toBe(9);
  expect(pageOf(shared).outcomeOf(7)).toBe(9);
  expect(decoded).toEqual(["$.results[1]", "$.results[2]"]);
  // The same text in another answer is another answer.
  expect(pageOf(body([1, 3, 7])).outcomeOf(3)).toBe(9);
  expect(decoded).toHaveLength(3);
});

test("a wrong row is wrong for its key alone, and every time", () => {
  const { pageOf } = createDecoder();
  const shared = body([1, 2]);
  const first = pageOf(shared).outcomeOf(2);
  expect(first).toBeInstanceOf(AuthentikError);
  expect(first).toMatchObject({
    kind: "malformed-response",
    detail: "$.results[1].user: expected a positive 32-bit integer, got string",
  });
  expect(pageOf(shared).outcomeOf(2)).toBe(first);
  expect(pageOf(shared).outcomeOf(1)).toBe(9);
  expect(pageOf(shared).outcomeOf(3)).toBeUndefined();
});

test.each([
  [[1, 2, 5], true],
  [[], true],
  [[1, 5, 2], false],
  [[1, 1], false],
])("%j is complete: %s", (pks, isComplete) => {
  expect(createDecoder().pageOf(body(pks))).toMatchObject({ pks, isComplete });
});

test.each([null, 5, {}, body(["1"]), body([null])])("%j is no page", (value) => {
  expect(() => createDecoder().pageOf(value)).toThrow(AuthentikError);
});
