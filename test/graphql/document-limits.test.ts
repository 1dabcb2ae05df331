import { getIntrospectionQuery, parse } from "graphql";
import { describe, expect, test } from "vitest";
import { parseWithin } from "../../src/graphql/prepare.ts";
import { findExcess } from "../../src/graphql/document-limits.ts";
import { times } from "../security/adversarial-documents.ts";
import { gatewayForTest, TEST_GATEWAY_OPTIONS } from "../support/gateway.ts";

const limits = TEST_GATEWAY_OPTIONS.documentLimits;
const excessOf = (source: string) => findExcess(parse(source), limits);

/** An error with this code and more. */
const told = (code: string, more: object = {}) =>
  expect.objectContaining({ extensions: expect.objectContaining({ code, ...more }) }) as Error;
const PARSE_FAILED = expect.objectContaining({ errors: [told("GRAPHQL_PARSE_FAILED")] }) as Error;

describe("legitimate documents pass the default limits", () => {
  const connection =
    "id pk user identifier created lastUpdated source{pk name slug enabled authenticationFlow enrollmentFlow userPropertyMappings groupPropertyMappings component verboseName verboseNamePlural metaModelName policyEngineMode userMatchingMode managed userPathTemplate icon}";
  const legitimate: Record<string, string> = {
    "64 _eN fields of a router, 3,000 tokens": `query(${times(64, (i) => `$r${i}:[_Any!]!`)}){${times(64, (i) => `_e${i}:_entities(representations:$r${i}){...on PlexSourceConnection{${connection}}...on Source{name}}`)}}`,
    "500 aliased connections with every field": `{${times(500, (i) => `c${i}:plexConnection(id:${i + 1}){...C}`)}} fragment C on PlexSourceConnection{${connection}}`,
    "an introspection with everything": getIntrospectionQuery({
      inputValueDeprecation: true,
      oneOf: true,
      schemaDescription: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
    }),
    "one key under 35 type conditions": `query($r:[_Any!]!){_entities(representations:$r){${times(35, (i) => `...on T${i}{__typename id pk}`)}}}`,
    "a file with 30 named operations": times(30, (i) => `query Q${i}($id:ID!){plexConnection(id:$id){pk}}`),
  };
  test.each(Object.entries(legitimate))("%s", (_name, source) => {
    expect(() => parseWithin(limits, source)).not.toThrow();
  });
});

describe("each limit has a name, what is allowed and what was found", () => {
  const rows: [name: string, source: string, max: number, actual: number][] = [
    ["depth", "{a".repeat(26) + "}".repeat(26), 25, 26],
    ["depth", `{a{...F}} fragment F on T${"{b".repeat(25)}${"}".repeat(25)}`, 25, 26],
    ["aliases", `{${times(1001, (i) => `a${i}:a `)}}`, 1000, 1001],
    ["rootFields", `{${times(1001, (i) => `a${i} `)}}`, 1000, 1001],
    ["directives", `{a ${times(51, () => "@x ")}}`, 50, 51],
    ["fragments", `{a} ${times(101, (i) => `fragment F${i} on Q{a}`)}`, 100, 101],
    ["operations", times(51, (i) => `query Q${i}{a}`), 50, 51],
    ["overlap", `{${times(142, () => "a ")}}`, 10_000, 10_011],
    ["overlap", `{${times(142, () => "...on Q{a}")}}`, 10_000, 10_011],
    ["aliasesOfOneField", `{${times(101, (i) => `a${i}:__typename `)}}`, 100, 101],
    ["aliasLength", `{${"a".repeat(251)}:b}`, 250, 251],
    ["introspectionFields", `{__schema{types{fields{${times(34, (i) => `a${i}:name `)}}}}}`, 8000, 8441],
    ["introspectionFields", `{_service{${times(80, (i) => `a${i}:sdl `)}}}`, 8000, 8001],
  ];
  test.each(rows)("%s in %.40s", (limit, source, max, actual) => {
    expect(excessOf(source)).toEqual({ limit, max, actual });
  });

  test("tokens, told apart from bad syntax without reading a message", () => {
    const excess = { limit: "tokens", max: 15_000, actual: 15_001 };
    expect(() => parseWithin(limits, `{${"a ".repeat(15_000)}}`)).toThrow(told("LIMIT_EXCEEDED", excess));
    for (const bad of ["{", '{a(b:"']) expect(() => parseWithin(limits, bad)).toThrow(PARSE_FAILED);
  });

  test("what exhausts the parser's stack failed to parse", () => {
    const many = { ...limits, maxTokens: 10 ** 7 };
    expect(() => parseWithin(many, "{a".repeat(200_000))).toThrow(PARSE_FAILED);
  });
});

test("an error does not echo a long name, nor half a character of it", async () => {
  const { gateway } = await gatewayForTest();
  const { codes, errors, text } = await gateway.post("x".repeat(100_000));
  expect(codes).toEqual(["GRAPHQL_PARSE_FAILED"]);
  expect(errors?.[0]?.message).toMatch(/Unexpected Name "x{250,280}…$/);
  expect(text.length).toBeLessThan(1_000);
  const query = "query($sort:PlexConnectionSort!){plexConnections(sort:$sort){totalCount}}";
  const cut = await gateway.post(query, { variables: { sort: "\u{1f600}".repeat(400) } });
  expect(cut.text).toMatch(/^(?!.*\\ud).*\u{1f600}/u);
});
