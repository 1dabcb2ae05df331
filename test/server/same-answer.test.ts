import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createGate, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, TOKEN, type TestGateway } from "../support/gateway.ts";
import { rawClient } from "../support/raw-client.ts";
import { times } from "../security/adversarial-documents.ts";

/*
 * The same text gets the same answer: the first or the hundredth time, by any way in, beside anything in flight.
 */

const PAGE = "https://page.example";
let authentik: FakeAuthentik;
let gateway: TestGateway;

beforeAll(async () => {
  authentik = await startFakeAuthentik();
  gateway = await startGateway({ authentikUrl: authentik.url, gateway: { corsOrigins: [PAGE] } });
});
afterAll(async () => {
  await gateway.close();
  await authentik.close();
});
beforeEach(() => {
  authentik.requests.length = 0;
  authentik.answer(null);
});

/** Sends one operation by each way in, several times each: what came back, as status, data, and code and path of errors. */
async function everywhere(query: string, variables?: Record<string, unknown>): Promise<unknown[]> {
  const url = new URL("/graphql", gateway.url);
  url.searchParams.set("query", query);
  if (variables) url.searchParams.set("variables", JSON.stringify(variables));
  const options = variables ? { variables } : {};
  const ways = [
    () => gateway.post(query, options),
    () => gateway.post(query, { ...options, headers: { "apollo-federation-include-trace": "ftv1" } }),
    () => read(fetch(url, { headers: { authorization: TOKEN } })),
  ];
  const replies: unknown[] = [];
  for (const way of [...ways, ...ways, ...ways]) {
    const { status, data, errors } = await way();
    const failed = errors?.map(({ path, extensions }) => `${path?.join(".") ?? ""} ${extensions.code}`);
    replies.push({ status, data, errors: failed });
  }
  return replies;
}

async function read(sent: Promise<Response>) {
  const response = await sent;
  const {
    data,
    errors,
  }: Pick<Awaited<ReturnType<TestGateway["post"]>>, "data" | "errors"> = JSON.parse(await response.text());
  return { status: response.status, data, errors };
}

describe("the first time and again, by POST, by GET and with a trace", () => {
  test("a variable inside a representation that is written out stands for its value", async () => {
    const query = `query R($pk: Int!, $name: String! = "PlexSourceConnection") {
      _entities(representations: [{ __typename: $name, pk: $pk }]) { ... on PlexSourceConnection { pk user } }
    }`;
    for (const pk of [5, 6]) {
      const [user] = [expect.any(Number)];
      const expected = { status: 200, data: { _entities: [{ pk, user }] }, errors: undefined };
      for (const reply of await everywhere(query, { pk })) expect(reply).toEqual(expected);
    }
  });

  test("a null where a variable has a default costs its own field, and its siblings answer", async () => {
    const query =
      "query R2($id: ID = 5) { plexConnection(id: $id) { id } other: plexConnection(id: 6) { id } }";
    const data = { plexConnection: null, other: { id: "6" } };
    for (const reply of await everywhere(query, { id: null }))
      expect(reply).toEqual({ status: 200, data, errors: ["plexConnection BAD_USER_INPUT"] });
    for (const reply of await everywhere(query, {}))
      expect(reply).toMatchObject({ status: 200, data: { plexConnection: { id: "5" } }, errors: undefined });
  });

  test.each([
    [
      "21 fragments on one type, each with __typename",
      spread(21),
      { plexConnection: { __typename: "PlexSourceConnection", id: "5" } },
    ],
    [
      "25 operations merged into one, each with __typename",
      merged(25),
      expect.objectContaining({ o24: "Query", c24: { pk: 25 } }),
    ],
  ])("%s are answered", async (_name, query, data) => {
    for (const reply of await everywhere(query))
      expect(reply).toEqual({ status: 200, data, errors: undefined });
  });
});

test("an answer of thousands of fields, whose trace is longer still", async () => {
  const fields = times(40, (i) => `a${i}: user `);
  const query = `query($r: [_Any!]!) { _entities(representations: $r) { ... on PlexSourceConnection { ${fields} } } }`;
  const r = Array.from({ length: 100 }, (_, index) => ({
    __typename: "PlexSourceConnection",
    pk: index + 1,
  }));
  for (const reply of await everywhere(query, { r }))
    expect(reply).toMatchObject({ status: 200, data: { _entities: expect.any(Array) }, errors: undefined });
});

test.each(["application/json", "application/graphql-response+json"])(
  "a variable that does not fit is refused with a trace as without, in %s",
  async (accept) => {
    const query = "query($id: ID!) { plexConnection(id: $id) { pk } }";
    const send = (headers: Record<string, string>) =>
      gateway.post(query, { variables: { id: 1.5 }, headers: { accept, ...headers } });
    const { status, data } = await send({});
    const traced = await send({ "apollo-federation-include-trace": "ftv1" });
    expect({ status: traced.status, data: traced.data }).toEqual({ status, data });
    expect(data).toBeUndefined();
  },
);

function spread(count: number): string {
  return `{ plexConnection(id: 5) { ${times(count, (i) => `...F${i} `)} } } ${times(count, (i) => `fragment F${i} on PlexSourceConnection { __typename id } `)}`;
}

function merged(count: number): string {
  return `{ ${times(count, (i) => `o${i}: __typename c${i}: plexConnection(id: ${i + 1}) { pk } `)} }`;
}

describe("an empty operationName means the only operation", () => {
  const body = { query: "query Named { plexConnection(id: 5) { pk } }", operationName: "" };
  const data = { plexConnection: { pk: 5 } };

  test("by POST", async () => {
    const { status, ...reply } = await gateway.post(body.query, { operationName: "" });
    expect({ status, data: reply.data }).toEqual({ status: 200, data });
  });

  test("by GET", async () => {
    const url = new URL(`/graphql?${String(new URLSearchParams(body))}`, gateway.url);
    const reply = await read(fetch(url, { headers: { authorization: TOKEN } }));
    expect(reply).toEqual({ status: 200, data, errors: undefined });
  });
});

describe("beside an equal request in flight", () => {
  const QUERY = "{ plexConnection(id: 5) { pk user } }";

  /** Sends them one after the other, lets authentik answer when all are in flight. */
  async function together(headers: readonly Record<string, string>[]) {
    const gate = createGate();
    authentik.answer((_request, _response, fallback) => void gate.opened.then(fallback));
    const replies = headers.map((each) => gateway.post(QUERY, { headers: each }));
    await authentik.arrived(1);
    // What was sent before this has arrived with it.
    await fetch(new URL("/nothing", gateway.url));
    gate.open();
    return Promise.all(replies);
  }

  test("each page is told of its own origin, and others of none", async () => {
    const origins = [{}, { origin: PAGE }, { origin: "https://other.example" }, { origin: PAGE }];
    const replies = await together(origins);
    const allowed = replies.map((reply) => reply.headers.get("access-control-allow-origin"));
    expect(allowed).toEqual([null, PAGE, null, PAGE]);
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  });

  test("who asks for a trace gets one, and nobody else", async () => {
    const trace = { "apollo-federation-include-trace": "ftv1" };
    const replies = await together([{}, trace, {}, trace]);
    expect(replies.map(({ extensions }) => extensions?.["ftv1"] !== undefined)).toEqual([
      false,
      true,
      false,
      true,
    ]);
    for (const { data } of replies)
      expect(data).toEqual({ plexConnection: { pk: 5, user: expect.any(Number) } });
  });

  test("who asks the same by GET joins whoever did", async () => {
    const before = gateway.records.length;
    const search = String(new URLSearchParams({ query: QUERY }));
    const get = `GET /graphql?${search} HTTP/1.1\r\nHost: a\r\nAuthorization: ${TOKEN}\r\n\r\n`;
    const client = rawClient(Number(gateway.url.port), get.repeat(2));
    const received = await client.waitFor(/"user".*"user"/s);
    client.socket.destroy();
    expect(received.match(/^\{"data".*?\}\}\}/gms)).toHaveLength(2);
    expect(gateway.records.slice(before).map(({ shared }) => shared)).toEqual([false, true]);
    expect(authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
  });

  test("each gets its own request id and media type", async () => {
    const replies = await together([
      { "x-request-id": "one" },
      { "x-request-id": "two", accept: "application/graphql-response+json" },
    ]);
    expect(
      replies.map((reply) => [reply.headers.get("x-request-id"), reply.headers.get("content-type")]),
    ).toEqual([
      ["one", "application/json; charset=utf-8"],
      ["two", "application/graphql-response+json; charset=utf-8"],
    ]);
  });
});
