import { buildSchema, GraphQLError, parse, visit } from "graphql";
import { describe, expect, test } from "vitest";
import { locationsOf } from "../../src/graphql/locations.ts";
import { createPrepare } from "../../src/graphql/prepare.ts";
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
