import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { askBody, read } from "../support/ask.ts";
import { createGate } from "../support/fake-authentik.ts";
import { TOKEN, useGateway } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { persisted } from "../support/persisted.ts";
import { representations, times } from "../security/adversarial-documents.ts";

/*
 * What clients send, and what the specification of GraphQL over HTTP says about it, by every way in.
 */

const at = useGateway(beforeAll, {}, { gateway: { batchLimit: 10 } });
beforeEach(() => {
  at.authentik.requests.length = 0;
});

type Headers = Record<string, string>;
const JSON_TYPES = ["application/json", "application/graphql-response+json"];

function post(body: object | string, headers: Headers = {}) {
  return askBody(at.gateway.url, typeof body === "string" ? body : JSON.stringify(body), { headers });
}

/** The query string as it is: clients send what no URLSearchParams would write. */
async function get(search: string, headers: Headers = {}) {
  const url = new URL(`/graphql?${search}`, at.gateway.url);
  return read(await fetch(url, { headers: { authorization: TOKEN, ...headers } }));
}

const FIVE = "{plexConnection(id:5){pk}}";
const ANSWER = { data: { plexConnection: { pk: 5 } } };
const encoded = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

describe("a persisted query", () => {
  test.each(JSON_TYPES)("is unknown, then registered, then answered by its hash, in %s", async (accept) => {
    const query = `${FIVE} # in ${accept}`;
    const { extensions } = persisted(query);
    const byHash = async () => [
      await post({ extensions }, { accept }),
      await post({ operationName: null, variables: {}, extensions }, { accept }),
      await get(`extensions=${encoded(extensions)}`, { accept }),
    ];
    for (const { status, codes, headers, errors } of await byHash()) {
      expect([status, codes]).toEqual([200, ["PERSISTED_QUERY_NOT_FOUND"]]);
      expect(errors?.[0]?.message).toBe("PersistedQueryNotFound");
      expect(headers.get("content-type")).toBe(`${accept}; charset=utf-8`);
    }
    expect(at.authentik.requests).toEqual([]);
    expect((await post({ query, extensions }, { accept })).result).toEqual(ANSWER);
    for (const { result } of await byHash()) expect(result).toEqual(ANSWER);
  });

  test("in a batch is answered for itself", async () => {
    const unknown = persisted("{plexConnection(id:6){user}}");
    const { status, result } = await post([unknown, { query: FIVE }, { query: FIVE, ...persisted(FIVE) }]);
    const notFound = { errors: [expect.objectContaining({ message: "PersistedQueryNotFound" })] };
    expect([status, result]).toEqual([200, [notFound, ANSWER, ANSWER]]);
  });

  test.each([
    ["a hash of another text", { query: FIVE, ...persisted("{__typename}") }],
    ["a version that nobody knows", { extensions: { persistedQuery: { version: 2, sha256Hash: "x" } } }],
    ["a query that is no text", { query: {}, ...persisted("{}") }],
    ["a query that is a number", { query: 5, ...persisted("5") }],
    ["an operation name that is no text", { query: FIVE, operationName: 5, ...persisted(FIVE) }],
    ["variables that are no object", { query: FIVE, variables: 5, ...persisted(FIVE) }],
    ["a hash that is none", { extensions: { persistedQuery: { version: 1, sha256Hash: 5 } } }],
    ["no hash", { extensions: { persistedQuery: {} } }],
  ])("with %s is 400", async (_name, body) => {
    for (const accept of JSON_TYPES) {
      const { status, codes } = await post(body, { accept });
      expect(status).toBe(400);
      expect(codes).toEqual([expect.stringMatching(/^(BAD_REQUEST|PERSISTED_QUERY_MISMATCH)$/)]);
    }
  });
});

test("members that the specification does not know are ignored, by every way in", async () => {
  const body = { id: "x", query: FIVE, documentId: 5, uploadables: null, cacheConfig: { force: true } };
  expect((await post(body)).result).toEqual(ANSWER);
  expect((await post([body, body])).result).toEqual([ANSWER, ANSWER]);
  expect((await post({ ...body, ...persisted(FIVE) })).result).toEqual(ANSWER);
  expect((await post({ ...body, extensions: { unknown: 1 } })).result).toEqual(ANSWER);
  expect((await get(`id=x&query=${encodeURIComponent(FIVE)}&unknown`)).result).toEqual(ANSWER);
});

describe("parameters of the wrong kind are 400 and name what is wrong", () => {
  const query = `query=${encodeURIComponent(FIVE)}`;
  test.each([
    [`${query}&variables=undefined`, /variables/],
    [`${query}&variables=[]`, /variables/],
    [`${query}&extensions={`, /extensions/],
    [`${query}&extensions=5`, /extensions/],
    ["extensions={", /extensions/],
    ["query=", /query/],
    ["?query={__typename}", /query/],
    ["", /query/],
  ])("GET %s", async (search, words) => {
    const { status, codes, result } = await get(search);
    expect([status, codes]).toEqual([400, ["BAD_REQUEST"]]);
    expect(result.errors?.[0]?.message).toMatch(words);
    // No stack reaches the log.
    expect(at.gateway.records.at(-1)).toMatchObject({ status: 400, problems: [] });
    expect(at.authentik.requests).toEqual([]);
  });

  test.each([
    ["undefined", /body/],
    ["", /body/],
    ["[]", /batch/],
    ["null", /query/],
    ['"text"', /query/],
    ['{"__proto__":{"query":"{__typename}"}}', /query/],
    [{ query: 5 }, /query/],
    [{ query: FIVE, variables: "undefined" }, /variables/],
    [{ query: FIVE, variables: [] }, /variables/],
    [{ query: FIVE, operationName: 5 }, /operationName/],
    [{ query: FIVE, extensions: "{" }, /extensions/],
    [{}, /query/],
  ])("POST %j", async (body, words) => {
    for (const accept of JSON_TYPES) {
      const { status, codes, result } = await post(body, { accept });
      expect([status, codes]).toEqual([400, ["BAD_REQUEST"]]);
      expect(result.errors?.[0]?.message).toMatch(words);
      if (typeof body !== "object") continue;
      const batch = await post([body, { query: FIVE }], { accept });
      const refused = { errors: [{ message: result.errors?.[0]?.message }] };
      expect([batch.status, batch.result]).toMatchObject([200, [refused, ANSWER]]);
    }
  });
});

describe("Accept: the most specific range decides", () => {
  const [json, graphql] = JSON_TYPES;
  test.each([
    [undefined, json],
    ["*/*", json],
    ["application/json;q=0, */*", graphql],
    ["*/*, application/json;q=0", graphql],
    ["application/json;q=0.5, application/*", graphql],
    ["*/*;q=0.1, application/json", json],
    ["application/graphql-response+json, application/json;q=0.9", graphql],
    ["application/json, application/graphql-response+json", json],
    ["multipart/mixed, application/graphql-response+json, application/json", graphql],
    ["Application/GraphQL-Response+JSON; Charset=UTF-8", graphql],
    ["application/*;q=0.2, application/json;q=0.1, */*;q=0.9", graphql],
    ["text/html, application/xhtml+xml, */*;q=0.8", json],
  ])("%s is answered in %s", async (accept, mediaType) => {
    const { status, headers } = await post({ query: FIVE }, accept === undefined ? {} : { accept });
    expect([status, headers.get("content-type")]).toEqual([200, `${mediaType}; charset=utf-8`]);
  });

  test.each([
    "text/turtle",
    "application/json;q=0",
    "*/*;q=0",
    "application/*;q=0, */*",
    "application/json; charset=utf-16",
  ])("%s is 406", async (accept) => {
    const { status, codes } = await post({ query: FIVE }, { accept });
    expect([status, codes]).toEqual([406, ["BAD_REQUEST"]]);
    expect((await get(`query=${encodeURIComponent(FIVE)}`, { accept })).status).toBe(406);
  });
});

/** Ways in, each with what came back for one operation. */
const WAYS = {
  POST: (query: string, variables = {}) => post({ query, variables }),
  "POST with a trace": (query: string, variables = {}) =>
    post({ query, variables }, { "apollo-federation-include-trace": "ftv1" }),
  GET: (query: string, variables = {}) =>
    get(`query=${encodeURIComponent(query)}&variables=${encoded(variables)}`),
  "a persisted query": (query: string, variables = {}) => post({ query, variables, ...persisted(query) }),
  "a batch": async (query: string, variables = {}) => {
    const [, text = ""] = /^\[(.*)\]$/s.exec((await post([{ query, variables }])).text) ?? [];
    return read(new Response(text));
  },
};
const ways = Object.keys(WAYS) as (keyof typeof WAYS)[];

const SAME: [what: string, query: string, variables: object, data: object, codes: string[]][] = [
  [
    "a variable inside a representation that is written out stands for its value",
    `query R($pk: Int!, $name: String! = "PlexSourceConnection") {
      _entities(representations: [{ __typename: $name, pk: $pk }]) { ... on PlexSourceConnection { pk } }
    }`,
    { pk: 6 },
    { _entities: [{ pk: 6 }] },
    [],
  ],
  [
    "a null where a variable has a default costs its own field, and its siblings answer",
    "query N($id: ID = 5) { plexConnection(id: $id) { id } other: plexConnection(id: 6) { id } }",
    { id: null },
    { plexConnection: null, other: { id: "6" } },
    ["BAD_USER_INPUT"],
  ],
  [
    "a variable that is not given has its default",
    "query N($id: ID = 5) { plexConnection(id: $id) { id } other: plexConnection(id: 6) { id } }",
    {},
    { plexConnection: { id: "5" }, other: { id: "6" } },
    [],
  ],
  [
    "21 fragments on one type, each with __typename, are answered",
    `{plexConnection(id:5){${times(21, (i) => `...F${i} `)}}} ${times(21, (i) => `fragment F${i} on PlexSourceConnection{__typename id} `)}`,
    {},
    { plexConnection: { __typename: "PlexSourceConnection", id: "5" } },
    [],
  ],
];

describe.each(SAME)("%s", (_what, query, variables, data, codes) => {
  test.each(ways)("%s, again and again", async (way) => {
    for (let round = 0; round < 3; round += 1) {
      const reply = await WAYS[way](query, variables);
      expect([reply.data, reply.codes]).toEqual([data, codes]);
    }
  });
});

type Question = [query: string, variables?: object];
const literal = (id: string): Question => [`{plexConnection(id:${id}){pk}}`];
const variable = (id: unknown): Question => ["query($id:ID!){plexConnection(id:$id){pk}}", { id }];
const tooMany: Question = [`{${times(101, (i) => `a${i}:__typename `)}}`];

test.each([
  ["a literal that is no id", "GRAPHQL_VALIDATION_FAILED", ["1.5", "true", "[5]", "{a:1}"].map(literal)],
  ["a literal that is no key", "BAD_USER_INPUT", ['"1.5"', "0", '"05"', "99999999999"].map(literal)],
  ["a variable that is no id", "BAD_USER_INPUT", [1.5, true, [5, 6], { a: 1 }, "x", 0].map(variable)],
  ["a document beyond a limit", "LIMIT_EXCEEDED", [tooMany]],
])("%s is told the same by every way in", async (_what, code, questions) => {
  for (const way of ways) {
    for (const [query, variables = {}] of questions) {
      const { codes } = await WAYS[way](query, variables);
      expect({ way, query, variables, codes }).toEqual({ way, query, variables, codes: [code] });
    }
  }
});

test("an operation name that is empty means the only operation, by every way in", async () => {
  expect((await post({ query: FIVE, operationName: "" })).result).toEqual(ANSWER);
  expect((await get(`query=${encodeURIComponent(FIVE)}&operationName=`)).result).toEqual(ANSWER);
  expect((await post([{ query: FIVE, operationName: "" }])).result).toEqual([ANSWER]);
});

test("a body that begins with a byte order mark is read without it", async () => {
  const { status, result } = await post(`\uFEFF${JSON.stringify({ query: FIVE })}`);
  expect([status, result]).toEqual([200, ANSWER]);
});

test("a body that is no UTF-8 is refused, and no letter of it replaced", async () => {
  const body = Buffer.from(
    JSON.stringify({ query: FIVE, variables: { name: "h\u00e9l\u00e8ne" } }),
    "latin1",
  );
  const { status, text } = await askBody(at.gateway.url, body);
  expect([status, text]).toEqual([400, expect.stringContaining("UTF-8")]);
  expect(at.authentik.requests).toEqual([]);
});

test("an empty query means none: the hash beside it decides", async () => {
  const { extensions } = persisted(FIVE);
  await post({ query: FIVE, extensions });
  expect((await post({ query: "", extensions })).result).toEqual(ANSWER);
});

test.each(["POST", "GET"] as const)(
  "each of equal requests in flight by %s gets its own request id and media type, of one call",
  async (way) => {
    const gate = createGate();
    at.authentik.answer(gate.answer);
    const asked = JSON_TYPES.map((accept) => {
      const headers = { accept, "x-request-id": accept.slice(12) };
      return way === "POST" ? post({ query: FIVE }, headers) : get(`query=${FIVE}`, headers);
    });
    await expect.poll(() => at.gateway.inFlight(), patience).toBe(2);
    gate.open();
    at.authentik.answer(null);
    for (const [index, { result, headers }] of (await Promise.all(asked)).entries()) {
      expect(result).toEqual(ANSWER);
      expect([headers.get("x-request-id"), headers.get("content-type")]).toEqual([
        JSON_TYPES[index]?.slice(12),
        `${JSON_TYPES[index]}; charset=utf-8`,
      ]);
    }
    expect(at.authentik.requests).toHaveLength(1);
    expect(at.gateway.records.slice(-2).map(({ shared }) => shared)).toContain(true);
  },
);

describe("with a trace", () => {
  const TRACE = { "apollo-federation-include-trace": "ftv1" };

  test("an answer of thousands of fields is there, and its trace", async () => {
    const fields = times(40, (i) => `a${i}: user `);
    const query = `query($r: [_Any!]!) { _entities(representations: $r) { ... on PlexSourceConnection { ${fields} } } }`;
    const { status, result } = await post({ query, variables: { r: representations(100) } }, TRACE);
    expect([status, result.errors]).toEqual([200, undefined]);
    expect(result.data?.["_entities"]).toHaveLength(100);
    expect(result.extensions?.["ftv1"]).toEqual(expect.any(String));
  });

  test.each(JSON_TYPES)("a variable that does not fit is refused as without, in %s", async (accept) => {
    const body = { query: "query($id: ID!) { plexConnection(id: $id) { pk } }", variables: { id: 1.5 } };
    const plain = await post(body, { accept });
    const traced = await post(body, { accept, ...TRACE });
    expect([traced.status, traced.result.data]).toEqual([plain.status, undefined]);
    expect(plain.result.data).toBeUndefined();
  });
});
