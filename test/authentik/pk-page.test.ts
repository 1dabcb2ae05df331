import { expect, test } from "vitest";
import { AuthentikError } from "../../src/authentik/errors.ts";
import { createPageReader } from "../../src/authentik/pk-page.ts";
import { decodePk, decodeObject } from "../../src/authentik/decoders.ts";

const body = (pks: readonly unknown[]): object => ({
  pagination: { next: 0, count: pks.length, start_index: 1 },
  results: pks.map((pk) => ({ pk, user: pk === 2 ? "wrong" : 9 })),
});

function createReader(): { pageOf: ReturnType<typeof createPageReader<number>>; read: string[] } {
  const read: string[] = [];
  const pageOf = createPageReader((row, path) => {
    read.push(path);
    return decodePk(decodeObject(row, path), "user", path);
  });
  return { pageOf, read };
}

test("a row is read when it is wanted, and once for all who share the answer", () => {
  const { pageOf, read } = createReader();
  const shared = body([1, 3, 7]);
  expect(pageOf(shared).outcomeOf(3)).toBe(9);
  expect(pageOf(shared).outcomeOf(3)).toBe(9);
  expect(pageOf(shared).outcomeOf(7)).toBe(9);
  expect(read).toEqual(["$.results[1]", "$.results[2]"]);
  // The same text in another answer is another answer.
  expect(pageOf(body([1, 3, 7])).outcomeOf(3)).toBe(9);
  expect(read).toHaveLength(3);
});

test("a wrong row is wrong for its key alone, and every time", () => {
  const { pageOf } = createReader();
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
])("%j is in order: %s", (pks, ordered) => {
  expect(createReader().pageOf(body(pks))).toMatchObject({ pks, ordered });
});

test.each([null, 5, {}, body(["1"]), body([null])])("%j is no page", (value) => {
  expect(() => createReader().pageOf(value)).toThrow(AuthentikError);
});
