import { parse } from "graphql";
import { expect, test } from "vitest";
import { createDocumentCache } from "../../src/graphql/document-cache.ts";
import { times } from "./adversarial-documents.ts";

function countingCache(maxBytes: number) {
  const checked: string[] = [];
  const cache = createDocumentCache<string>({
    maxBytes,
    check(source) {
      checked.push(source);
      if (source === "bad") return { code: "GRAPHQL_PARSE_FAILED", errors: [] };
      return parse(source);
    },
  });
  return { cache, checked };
}

test("a document is checked once, and its compiled forms stay with it", () => {
  const { cache, checked } = countingCache(1e6);
  const first = cache.get("query A{a} query B{b}");
  if ("code" in first) throw new Error(first.code);
  first.compiled.set("A", "compiled");
  const second = cache.get("query A{a} query B{b}");
  expect(second).toBe(first);
  expect(checked).toHaveLength(1);
  expect([...first.operations.keys()]).toEqual(["A", "B"]);
});

test("the anonymous operation is at the empty name", () => {
  const { cache } = countingCache(1e6);
  const prepared = cache.get("{a}");
  expect("code" in prepared ? [] : [...prepared.operations.keys()]).toEqual([""]);
});

test("what is refused is not kept", () => {
  const { cache, checked } = countingCache(1e6);
  expect(cache.get("bad")).toEqual({ code: "GRAPHQL_PARSE_FAILED", errors: [] });
  expect(cache.get("bad")).toHaveProperty("code");
  expect(checked).toHaveLength(2);
  expect(cache.bytes()).toBe(0);
});

test("what is kept stays within its bytes, and what was used last stays", () => {
  const { cache, checked } = countingCache(100_000);
  cache.get("{kept}");
  for (let i = 0; i < 500; i++) {
    cache.get(`{a${i} ${times(20, (k) => `b${k} `)}}`);
    cache.get("{kept}");
    expect(cache.bytes()).toBeLessThanOrEqual(100_000);
  }
  expect(checked.filter((source) => source === "{kept}")).toHaveLength(1);
});

test("a document as large as the cache is answered but not kept", () => {
  const { cache } = countingCache(10_000);
  expect(cache.get(`{${times(100, (k) => `b${k} `)}}`)).toHaveProperty("document");
  expect(cache.bytes()).toBe(0);
});

test("small documents are compiled when they come again, larger ones later, very large ones never", () => {
  const { cache } = countingCache(20e6);
  const after = (source: string) => {
    const prepared = cache.get(source);
    return "code" in prepared ? Number.NaN : prepared.compileAfterUses;
  };
  expect(Math.floor(after("{a{b c}}"))).toBe(1);
  expect(after(`{${times(500, (i) => `a${i}:b `)}}`)).toBe(6);
  expect(
    after(`{${times(100, (i) => `a${i}:b{...F}`)}} fragment F on T{${times(15, (i) => `f${i} `)}}`),
  ).toBe(Number.POSITIVE_INFINITY);
});

test("what compiled code would answer differently is never compiled", () => {
  const { cache } = countingCache(20e6);
  for (const source of [
    "{__proto__:a}",
    "query($__proto__:Int){a(x:$__proto__)}",
    "{a @skip(if:true){b} a{c}}",
  ])
    expect(cache.get(source)).toMatchObject({ compileAfterUses: Number.POSITIVE_INFINITY });
});
