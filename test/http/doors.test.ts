import { serverAudits } from "graphql-http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawClient } from "../process/raw-client.ts";
import { type FakeAuthentik, sendJson, sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway, TOKEN } from "../support/gateway.ts";

// Plain requests come through a door of their own, all others through node:http; JSON by POST is answered by a short way,
// everything else by yoga's HTTP layer. These headers send a request through another door and change nothing else.
const BY_NODE = { te: "trailers" };
const BY_YOGA = { "apollo-federation-include-trace": "none" };

const ACCEPTS = [
  undefined,
  "*/*",
  "application/json",
  "application/graphql-response+json",
  "application/graphql-response+json, application/json;q=0.9",
  "application/json;q=0.1, application/graphql-response+json",
  "application/graphql-response+json; charset=utf-8",
  "application/json; charset=utf-16",
  "multipart/mixed; deferSpec=20220824, application/json",
  "text/event-stream, application/json",
  "text/html",
  "nonsense",
];

let authentik: FakeAuthentik;
let gateway: TestGateway;

beforeAll(async () => {
  authentik = await startFakeAuthentik();
  authentik.answer((request, response, fallback) => {
    const pk = /\/plex\/(\d+)\/$/.exec(request.path)?.[1];
    if (pk === "60") sendPage(response, 500, "broken");
    else if (pk === "61") sendJson(response, 403, { detail: "no permission" });
    else if (pk === "62") sendJson(response, 400, { identifier: ["wrong"] });
    else if (pk === "63") sendJson(response, 429, { detail: "slow down" }, { "Retry-After": "3" });
    else if (pk === "64") sendJson(response, 200, { hello: 1 });
    else if (request.path.includes("?")) sendPage(response, 404, "no lists");
    else fallback();
  });
  gateway = await startGateway({ authentikUrl: authentik.url, authentik: { retry: false } });
});

afterAll(async () => {
  await gateway.close();
  await authentik.close();
});

interface Seen {
  status: number;
  headers: [string, string][];
  body: string;
}

async function seen(url: string, init: RequestInit): Promise<Seen> {
  const response = await fetch(url, init);
  const headers = [...response.headers].filter(([name]) => name !== "date");
  return { status: response.status, headers, body: await response.text() };
}

/** Sends the same request through all doors; the answers, with the request to tell them by. */
async function throughAll(body: string, headers: Record<string, string>) {
  const url = new URL("/graphql", gateway.url).href;
  const common = {
    "content-type": "application/json",
    authorization: TOKEN,
    "x-request-id": "the-same",
    ...headers,
  };
  const request = `${JSON.stringify(headers)} ${body.slice(0, 200)}`;
  const send = async (door: Record<string, string>) => ({
    request,
    ...(await seen(url, { method: "POST", body, headers: { ...common, ...door } })),
  });
  return { plain: await send({}), node: await send(BY_NODE), yoga: await send(BY_YOGA) };
}

const operation = (query: unknown, more: object = {}) => JSON.stringify({ query, ...more });

const BODIES = [
  operation("{ __typename }"),
  operation("{ plexConnection(id: 5) { id pk user identifier source { slug policyEngineMode } } }"),
  operation("query ($id: ID!) { plexConnection(id: $id) { pk } }", { variables: { id: 5 } }),
  operation("query ($id: ID!) { plexConnection(id: $id) { pk } }", { variables: { id: {} } }),
  operation("query ($id: ID!) { plexConnection(id: $id) { pk } }", { variables: null }),
  operation("query ($id: ID!) { plexConnection(id: $id) { pk } }"),
  operation(
    '{ a: plexConnection(id: 5) { pk } b: plexConnection(id: "05") { pk } c: plexConnection(id: 404) { pk } }',
  ),
  ...[60, 61, 62, 63, 64].map((id) =>
    operation(`{ ok: plexConnection(id: 7) { pk } bad: plexConnection(id: ${id}) { pk } }`),
  ),
  operation("query A { __typename } query B { b: __typename }", { operationName: "B" }),
  operation("query A { __typename } query B { b: __typename }", { operationName: "C" }),
  operation("query A { __typename } query B { b: __typename }"),
  operation("query A { __typename }", { operationName: "" }),
  operation("query A { __typename }", { operationName: null }),
  operation("query A { __typename }", { operationName: 5 }),
  operation("mutation { a }"),
  operation("subscription { a }"),
  operation("{"),
  operation(""),
  operation(5),
  operation(null),
  operation("{ nope }"),
  operation("{ plexConnection { pk } }"),
  operation("{ plexConnection(id: 1.5) { pk } }"),
  operation(`{ ${"a:".repeat(1)}__typename ${"x: __typename ".repeat(2_000)} }`),
  operation("{ ".repeat(200) + "a" + " }".repeat(200)),
  operation("{ __schema { queryType { name } } }"),
  operation("{ _service { sdl } }"),
  operation(
    "query ($r: [_Any!]!) { _entities(representations: $r) { ... on PlexSourceConnection { pk identifier } } }",
    {
      variables: {
        r: [
          { __typename: "PlexSourceConnection", pk: 5 },
          { __typename: "Nope" },
          7,
          { __typename: "PlexSourceConnection", pk: 60 },
        ],
      },
    },
  ),
  operation(undefined, { extensions: { persistedQuery: { version: 1, sha256Hash: "0".repeat(64) } } }),
  operation("{ __typename }", { extensions: { persistedQuery: { version: 1, sha256Hash: "0".repeat(64) } } }),
  operation(false, { extensions: { persistedQuery: { version: 1, sha256Hash: "" } } }),
  operation("{ __typename }", { extensions: 5 }),
  operation("{ __typename }", { variables: [1] }),
  operation("{ __typename }", { variables: "x" }),
  operation("{ __typename }", { unknown: 1 }),
  '{"query":"{ __typename }","__proto__":{"query":"{ x }"}}',
  "{}",
  "[]",
  "null",
  "5",
  '"text"',
  "true",
  "",
  "not json",
  '{"query":',
  `[${operation("{ __typename }")}]`,
];

test.each(BODIES.map((body) => [body.slice(0, 120), body]))("%s", async (_name, body) => {
  for (const accept of ACCEPTS) {
    const { plain, node, yoga } = await throughAll(body, accept === undefined ? {} : { accept });
    expect(node).toEqual(plain);
    expect(yoga).toEqual(plain);
    expect(plain.status).toBeLessThan(500);
  }
});

test.each(["", "Bearer", "Bearer two words", "Basic eDp5"])(
  "with Authorization %j",
  async (authorization) => {
    const { plain, node, yoga } = await throughAll(operation("{ plexConnection(id: 5) { pk } }"), {
      authorization,
    });
    expect(node).toEqual(plain);
    expect(yoga).toEqual(plain);
  },
);

test("bodies that differ from a good one in a few places", async () => {
  const good = operation("query Q($id: ID!) { plexConnection(id: $id) { pk source { slug } } }", {
    variables: { id: "5" },
  });
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
  const letters = '{}[]":,$!()abc01 \\\n\u00e9\u0000';
  for (let round = 0; round < 300; round += 1) {
    const body = good.split("");
    for (let edits = 1 + random(3); edits > 0; edits -= 1) {
      body.splice(random(body.length), random(3), letters[random(letters.length)] ?? "");
    }
    const { plain, node, yoga } = await throughAll(body.join(""), {});
    expect(node).toEqual(plain);
    expect(yoga).toEqual(plain);
  }
}, 60_000);

test("every request of graphql-http's audit", async () => {
  const url = new URL("/graphql", gateway.url).href;
  const differences: string[] = [];
  let compared = 0;
  const audits = serverAudits({
    url,
    async fetchFn(input: string, init: RequestInit = {}) {
      const headers = { ...Object.fromEntries(new Headers(init.headers)), "x-request-id": "the-same" };
      const plain = JSON.stringify(await seen(input, { ...init, headers }));
      for (const door of [BY_NODE, BY_YOGA]) {
        const other = JSON.stringify(await seen(input, { ...init, headers: { ...headers, ...door } }));
        if (other !== plain) differences.push(`${init.method} ${JSON.stringify(init.body)}`);
      }
      compared += 1;
      return fetch(input, { ...init, headers });
    },
  });
  for (const audit of audits) await audit.fn();
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThanOrEqual(audits.length);
});

/** The bytes of a plain request. */
function wire(body: string, lines: readonly string[] = [`Authorization: ${TOKEN}`]): string {
  const head = [
    "POST /graphql HTTP/1.1",
    "Host: gateway",
    "Content-Type: application/json",
    "X-Request-Id: the-same",
  ];
  return [...head, `Content-Length: ${Buffer.byteLength(body)}`, ...lines, "", body].join("\r\n");
}

/** What comes back for the bytes on a connection of their own, but for the time. */
async function answerTo(bytes: string): Promise<string> {
  const client = rawClient(Number(gateway.url.port), bytes);
  const head = await client.waitFor(/\r\n\r\n/);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
  await client.waitFor(new RegExp(`\r\n\r\n[^]{${length}}$`));
  client.socket.destroy();
  return client.received().replace(/\r\nDate: [^\r]+/, "\r\nDate: now");
}

describe("on the wire", () => {
  test.each([
    ["data", operation("{ plexConnection(id: 5) { pk source { name } } }")],
    ["an error", operation("{ ok: plexConnection(id: 7) { pk } bad: plexConnection(id: 63) { pk } }")],
    ["a refusal", operation("{ nope }")],
    ["no JSON", "no json \u00e9"],
  ])("%s is the same to the byte, order of the headers included", async (_what, body) => {
    const before = gateway.throughNode();
    const plain = await answerTo(wire(body));
    expect(gateway.throughNode()).toBe(before);
    const node = await answerTo(wire(body, [`Authorization: ${TOKEN}`, "TE: trailers"]));
    expect(gateway.throughNode()).toBe(before + 1);
    expect(node).toBe(plain);
  });

  test.each([
    ["another path", (bytes: string) => bytes.replace("/graphql", "/graph")],
    ["no JSON by its type", (bytes: string) => bytes.replace("application/json", "text/plain")],
    ["an impossible Accept", (bytes: string) => bytes.replace("\r\n", "\r\nAccept: text/html\r\n")],
    ["too long a body", (bytes: string) => bytes.replace(/Length: \d+/, "Length: 2000000")],
    ["a trace", (bytes: string) => bytes.replace("\r\n", "\r\nApollo-Federation-Include-Trace: ftv1\r\n")],
  ])("%s is for node:http", async (_what, change) => {
    const before = gateway.throughNode();
    await answerTo(change(wire(operation("{ __typename }"))));
    expect(gateway.throughNode()).toBe(before + 1);
  });
});

test("one connection may bring several callers, and each sees what is theirs", async () => {
  authentik.requests.length = 0;
  const body = operation("{ plexConnection(id: 5) { pk } }");
  const client = rawClient(Number(gateway.url.port));
  client.socket.setMaxListeners(0);
  const tokens = ["a", "b", "b", "a", "", "a"];
  for (const [index, token] of tokens.entries()) {
    client.socket.write(wire(body, token === "" ? [] : [`Authorization: Bearer token-${token}`]));
    await client.waitFor(new RegExp(`(?:\r\n\r\n\\{[^]*){${index + 1}}$`));
  }
  client.socket.destroy();
  const credentials = authentik.requests.map(
    ({ headers }) => headers.find(([name]) => name.toLowerCase() === "authorization")?.[1],
  );
  expect(credentials).toEqual(["a", "b", "b", "a", "a"].map((token) => `Bearer token-${token}`));
  expect(client.received().match(/UNAUTHENTICATED/g)).toHaveLength(1);
});
