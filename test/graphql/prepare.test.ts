import { buildSchema, GraphQLError, parse, visit } from "graphql";
import { describe, expect, test } from "vitest";
import { locationsOf } from "../../src/graphql/locations.ts";
import { createPrepare, findOperation } from "../../src/graphql/prepare.ts";
import { times } from "../security/adversarial-documents.ts";
import { TEST_GATEWAY_OPTIONS } from "../support/gateway.ts";

const schema = buildSchema(`type Query { a: String ${times(100, (k) => `b${k}: String `)} }`);

const prepareWithin = (cacheBytes: number) =>
  createPrepare({ schema, limits: TEST_GATEWAY_OPTIONS.documentLimits, cacheBytes, introspection: true });

describe("documents that are kept", () => {
  test("are found again, stay within their bytes, and what was used last stays", () => {
    const prepare = prepareWithin(100_000);
    const kept = prepare("{kept:a}");
    const first = prepare("{first:a}");
    for (let index = 0; index < 500; index++) {
      prepare(`{x${index}:a ${times(20, (k) => `b${k} `)}}`);
      expect(prepare("{kept:a}")).toBe(kept);
    }
    expect(prepare("{first:a}")).not.toBe(first);
  });

  test("hold no token of their source: a comment is gone", () => {
    const document = prepareWithin(1e6)(`{a}${"#\n".repeat(1_000)}`);
    const found: unknown[] = [];
    visit(document, { enter: ({ loc }) => void found.push(loc) });
    expect(found).toEqual(Array(5).fill(undefined));
  });

  test("still know where their nodes stand", () => {
    const source = "{\n  a\r\n\r  b1: a\n}";
    const expected: unknown[] = [];
    visit(parse(source), {
      enter: (node) => void expected.push(new GraphQLError("x", { nodes: [node] }).locations),
    });
    const found: unknown[] = [];
    visit(prepareWithin(1e6)(source), {
      enter: (node) => void found.push(locationsOf(new GraphQLError("x", { nodes: [node] }))),
    });
    expect(found).toEqual(expected);
    expect(found.at(-1)).toEqual([{ line: 4, column: 7 }]);
  });
});

describe("the operation that is meant", () => {
  const prepare = prepareWithin(1e6);

  test.each([
    ["query A{a}", null, "A"],
    ["query A{a}", "", "A"],
    ["query A{a} query B{a}", "B", "B"],
  ])("in %j by the name %j is %s", (source, name, found) => {
    expect(findOperation(prepare(source), name).name?.value).toBe(found);
  });

  test.each([
    ["query A{a} query B{a}", undefined],
    ["query A{a}", "__proto__"],
  ])("in %j by the name %j is none", (source, name) => {
    const extensions = { code: "OPERATION_RESOLUTION_FAILURE" };
    expect(() => findOperation(prepare(source), name)).toThrow(expect.objectContaining({ extensions }));
  });
});
