import { beforeAll, expect, test } from "vitest";
import { askBody } from "../support/ask.ts";
import { gatewayForTest, useGateway } from "../support/gateway.ts";
import { persisted } from "../support/persisted.ts";
import { representations, times } from "./adversarial-documents.ts";

const options = { gateway: { batchLimit: 10, maxRestCalls: 5 }, authentik: { list: false } };
const at = useGateway(beforeAll, {}, options);

const send = (body: unknown) => askBody(at.gateway.url, JSON.stringify(body));

test("nobody registers a document under another's hash", async () => {
  const { extensions } = persisted("{plexConnection(id:5){pk}}");
  expect((await send({ query: "{__typename}", extensions })).codes).toEqual(["PERSISTED_QUERY_MISMATCH"]);
  expect((await send({ extensions })).codes).toEqual(["PERSISTED_QUERY_NOT_FOUND"]);
});

const aliases = (count: number) => `{${times(count, (i) => `a${i}:plexConnection(id:5){pk} `)}}`;

const tenOfFive = `{_entities(representations:[${"0 ".repeat(10)}]){...on PlexAccount{${"a:plexConnections{pk}".repeat(5)}}}}`;
const eightOfEight = `{${times(8, (i) => `a${i}:plexAccount(id:1){...F} `)}} fragment F on PlexAccount{${times(8, (i) => `b${i}:id `)}}`;

test.each([
  ["20 aliases", aliases(20), true],
  ["21 aliases", aliases(21), false],
  ["8 aliases of fields with 8 aliases in a fragment", eightOfEight, false],
  ["10 representations written out, with 10 fields each", tenOfFive, false],
])("a hash stands for no more than its bytes pay for: %s", async (_name, query, isKept) => {
  const { extensions } = persisted(query);
  const { codes } = await send({ query, extensions });
  expect((await send({ extensions })).codes).toEqual(isKept ? codes : ["PERSISTED_QUERY_NOT_FOUND"]);
});

test("operations of one batch share one allowance of REST calls", async () => {
  at.authentik.requests.length = 0;
  const calls = [1, 2, 3, 4, 5, 6].map((id) => ({ query: `{plexConnection(id:${id}){user}}` }));
  const extensions = { code: "LIMIT_EXCEEDED", limit: "restCalls", max: 5, actual: 6 };
  expect((await send(calls)).result).toMatchObject([
    ...[1, 2, 3, 4, 5].map((id) => ({ data: { plexConnection: { user: 1_000 + id } } })),
    { errors: [{ extensions }] },
  ]);
  expect(at.authentik.requests).toHaveLength(5);
});

const asking = (fields: number, length: number) => ({
  query: `query($r:[_Any!]!){${times(fields, (i) => `e${i}:_entities(representations:$r){__typename} `)}}`,
  variables: { r: representations(length) },
});

test("fields of one operation, and operations of one batch, share one allowance of representations", async () => {
  at.authentik.requests.length = 0;
  expect((await send(asking(11, 100))).errors).toMatchObject([
    { extensions: { code: "LIMIT_EXCEEDED", limit: "representations", max: 1_000, actual: 1_100 } },
  ]);
  const { text } = await send([asking(1, 400), asking(1, 400), asking(1, 400)]);
  expect(text.match(/"LIMIT_EXCEEDED"/g)).toHaveLength(1);
  expect(at.authentik.requests).toEqual([]);
});

test("a batch beyond its limit is refused whole, with what it has too much of", async () => {
  const { status, errors } = await send(Array.from({ length: 11 }, () => ({ query: "{__typename}" })));
  const extensions = { code: "LIMIT_EXCEEDED", limit: "batch", max: 10, actual: 11 };
  expect([status, errors]).toMatchObject([413, [{ extensions }]]);
});

test("an item of a batch that is no operation is refused by itself", async () => {
  const { status, result, text } = await send([{ query: "{__typename}" }, null, { query: 5 }, []]);
  // As it is told alone.
  expect(text).toContain('"query must be a string."');
  const refused = { errors: [{ extensions: { code: "BAD_REQUEST" } }] };
  expect([status, result]).toMatchObject([
    200,
    [{ data: { __typename: "Query" } }, refused, refused, refused],
  ]);
});

test("with no memory for documents by hash, one that comes along is answered and not kept", async () => {
  const { gateway } = await gatewayForTest({ gateway: { maxPersistedQueriesBytes: 0 } });
  const query = "{__typename}";
  const { extensions } = persisted(query);
  const post = (body: unknown) => askBody(gateway.url, JSON.stringify(body));
  expect((await post({ query, extensions })).result).toEqual({ data: { __typename: "Query" } });
  expect((await post({ extensions })).codes).toEqual(["PERSISTED_QUERY_NOT_FOUND"]);
});
