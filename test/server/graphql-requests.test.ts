import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { askBody, read } from "../support/ask.ts";
import { createGate } from "../support/fake-authentik.ts";
import { TOKEN, useGateway } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { persisted } from "../support/persisted.ts";
import { representations, times } from "../security/adversarial-documents.ts";

// What clients send, and what the specification of GraphQL over HTTP says about it, by every way in.

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

describe("a persisted query", () => {
  test.each(JSON_TYPES)("is unknown, then registered, then answered by its hash, in %s", async (accept) => {
    const query = `${FIVE} # in ${accept}`;
    const { extensions } = persisted(query);
    const byHash = async () => [
      await post({ extensions }, { accept }),
      await get(`extensions=${encodeURIComponent(JSON.stringify(extensions))}`, { accept }),
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

  test("of another version is 400", async () => {
    const given = { version: 2, sha256Hash: "x" };
    const { status, codes } = await post({ extensions: { persistedQuery: given } });
    expect([status, codes]).toEqual([400, ["BAD_REQUEST"]]);
  });
});

test.each<[body: string | object | null, search: string, words: RegExp]>([
  ["undefined", "", /body/],
  ["[]", "", /batch/],
  [{ query: 5 }, "", /query/],
  [{ query: FIVE, variables: [] }, "", /variables/],
  [{ query: FIVE, operationName: 5 }, "", /operationName/],
  [{ query: FIVE, extensions: "{" }, "", /extensions/],
  [{ extensions: { persistedQuery: { version: 1 } } }, "", /hash/],
  [null, `query=${FIVE}&variables=undefined`, /variables/],
  [null, "?query={__typename}", /query/],
  [null, "", /query/],
])(
  "parameters of the wrong kind are 400 and name what is wrong: POST %j, GET %j",
  async (body, search, words) => {
    const { status, codes, errors } = await (body === null ? get(search) : post(body));
    expect([status, codes]).toEqual([400, ["BAD_REQUEST"]]);
    expect(errors?.[0]?.message).toMatch(words);
    // No stack reaches the log.
    expect(at.gateway.records.at(-1)).toMatchObject({ status: 400, problems: [] });
    expect(at.authentik.requests).toEqual([]);
  },
);

test.each([
  [undefined, "application/json"],
  ["application/json;q=0, */*", "application/graphql-response+json"],
  ["application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"],
  ["text/html, application/xhtml+xml, */*;q=0.8", "application/json"],
  ["*/*;q=0", null],
  ["application/json; charset=utf-16", null],
])("of Accept the most specific range decides: %s is answered in %s", async (accept, mediaType) => {
  const { status, headers, codes } = await post({ query: FIVE }, accept === undefined ? {} : { accept });
  expect([status, codes]).toEqual(mediaType === null ? [406, ["BAD_REQUEST"]] : [200, []]);
  expect(headers.get("content-type")).toBe(`${mediaType ?? "application/json"}; charset=utf-8`);
  // For no shared cache.
  expect(headers.get("cache-control")).toBe("private, no-store");
  expect(headers.get("vary")).toMatch(/^Authorization\b/);
});

interface Operation {
  query: string;
  variables?: object;
  [member: string]: unknown;
}
const TRACE = { "apollo-federation-include-trace": "ftv1" };
const WAYS: Record<string, (operation: Operation) => ReturnType<typeof post>> = {
  POST: (operation) => post(operation),
  "POST with a trace": (operation) => post(operation, TRACE),
  GET: ({ variables = {}, ...members }) => {
    const texts = Object.entries(members).map(([name, value]) => [name, String(value)]);
    return get(String(new URLSearchParams([...texts, ["variables", JSON.stringify(variables)]])));
  },
  "a persisted query": (operation) => post({ ...operation, ...persisted(operation.query) }),
  "a batch": async (operation) => read(new Response((await post([operation])).text.slice(1, -1))),
};

const variable = (id: unknown): Operation => ({
  query: "query($id:ID!){plexConnection(id:$id){pk}}",
  variables: { id },
});
const CYCLE = "PlexSourceConnection{account{plexConnections{...F}}}";
const FRAGMENTS = times(21, (i) => `fragment F${i} on PlexSourceConnection{__typename id} `);

test.each<[what: string, operation: Operation, data: object | null | undefined, codes: string[]]>([
  [
    "a variable inside a representation that is written out stands for its value",
    {
      query: `query R($pk: Int!, $name: String! = "PlexSourceConnection") {
        _entities(representations: [{ __typename: $name, pk: $pk }]) { ... on PlexSourceConnection { pk } }
      }`,
      variables: { pk: 6 },
    },
    { _entities: [{ pk: 6 }] },
    [],
  ],
  [
    "a null where a variable has a default costs its own field, and its siblings answer",
    {
      query: "query($id:ID=5){plexConnection(id:$id){id} other:plexConnection(id:6){id}}",
      variables: { id: null },
    },
    { plexConnection: null, other: { id: "6" } },
    ["BAD_USER_INPUT"],
  ],
  [
    "21 fragments on one type, each with __typename, are answered",
    { query: `{plexConnection(id:5){${times(21, (i) => `...F${i} `)}}} ${FRAGMENTS}` },
    { plexConnection: { __typename: "PlexSourceConnection", id: "5" } },
    [],
  ],
  [
    "an operation name that is empty means the only operation",
    { query: FIVE, operationName: "" },
    ANSWER.data,
    [],
  ],
  [
    "an operation name that means none is refused",
    { query: "query A{__typename}", operationName: "__proto__" },
    undefined,
    ["OPERATION_RESOLUTION_FAILURE"],
  ],
  [
    "members that the specification does not know are ignored",
    { query: FIVE, id: "x", documentId: 5, uploadables: null, cacheConfig: { force: true } },
    ANSWER.data,
    [],
  ],
  [
    "a literal that is no ID is no valid document",
    { query: "{plexConnection(id:1.5){pk}}" },
    undefined,
    ["GRAPHQL_VALIDATION_FAILED"],
  ],
  [
    "a fragment inside itself is no valid document",
    { query: `{plexConnection(id:5){...F}} fragment F on ${CYCLE}` },
    undefined,
    ["GRAPHQL_VALIDATION_FAILED"],
  ],
  ["a variable that is no ID is refused", variable([5, 6]), undefined, ["BAD_USER_INPUT"]],
  ["a variable that is no key is refused", variable("x"), { plexConnection: null }, ["BAD_USER_INPUT"]],
  [
    "a document beyond a limit is refused",
    { query: `{${times(101, (i) => `a${i}:__typename `)}}` },
    undefined,
    ["LIMIT_EXCEEDED"],
  ],
])("%s, by every way in, again and again", async (_what, operation, data, codes) => {
  for (const [way, ask] of Object.entries(WAYS)) {
    for (let round = 0; round < 3; round += 1) {
      const reply = await ask(operation);
      expect([way, reply.data, reply.codes]).toEqual([way, data, codes]);
    }
  }
});

test("a body that begins with a byte order mark is read without it", async () => {
  expect((await post(`\uFEFF${JSON.stringify({ query: FIVE })}`)).result).toEqual(ANSWER);
});

test("a body that is no UTF-8 is refused, and no letter of it replaced", async () => {
  const body = Buffer.from(JSON.stringify({ query: `${FIVE}#h\u00e9l\u00e8ne` }), "latin1");
  const { status, text } = await askBody(at.gateway.url, body);
  expect([status, text]).toEqual([400, expect.stringContaining("UTF-8")]);
  expect(at.authentik.requests).toEqual([]);
});

test.each(["POST", "GET"])(
  "equal requests in flight by %s are one call, and each has its own headers",
  async (way) => {
    const gate = createGate();
    at.authentik.answer(gate.answer);
    const asked = JSON_TYPES.map((accept, index) => {
      const headers = { accept, "x-request-id": `r${index}` };
      return way === "POST" ? post({ query: FIVE }, headers) : get(`query=${FIVE}`, headers);
    });
    await expect.poll(() => at.gateway.inFlight(), patience).toBe(2);
    gate.open();
    at.authentik.answer(null);
    for (const [index, { result, headers }] of (await Promise.all(asked)).entries()) {
      const own = [headers.get("x-request-id"), headers.get("content-type")];
      expect([result, ...own]).toEqual([ANSWER, `r${index}`, `${JSON_TYPES[index]}; charset=utf-8`]);
    }
    expect(at.authentik.requests).toHaveLength(1);
    expect(at.gateway.records.slice(-2).map(({ shared }) => shared)).toContain(true);
  },
);

test.each(JSON_TYPES)(
  "a variable that does not fit is refused with a trace as without, in %s",
  async (accept) => {
    const replies = [{ accept }, { accept, ...TRACE }].map((headers) => post(variable(1.5), headers));
    const status = accept === "application/json" ? 200 : 400;
    for (const reply of await Promise.all(replies))
      expect([reply.status, reply.data]).toEqual([status, undefined]);
  },
);

test("an answer of thousands of fields is there with a trace as well", async () => {
  const fields = times(40, (i) => `a${i}:user `);
  const query = `query($r:[_Any!]!){_entities(representations:$r){...on PlexSourceConnection{${fields}}}}`;
  const { data, extensions } = await post({ query, variables: { r: representations(100) } }, TRACE);
  expect(data?.["_entities"]).toHaveLength(100);
  expect(extensions?.["ftv1"]).toEqual(expect.any(String));
});
