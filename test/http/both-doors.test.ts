import { serverAudits } from "graphql-http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeAuthentik, sendJson, sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway, TOKEN } from "../support/gateway.ts";

// JSON by POST is answered by a short way, everything else by yoga's HTTP layer. Asking for an unknown kind of trace
// sends a request through the second door and changes nothing else.
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

/** Sends the same request through both doors; the answers, with the request to tell them by. */
async function throughBoth(
  body: string,
  headers: Record<string, string>,
): Promise<{ short: Seen & { request: string }; long: Seen & { request: string } }> {
  const url = new URL("/graphql", gateway.url).href;
  const common = {
    "content-type": "application/json",
    authorization: TOKEN,
    "x-request-id": "the-same",
    ...headers,
  };
  const short = await seen(url, { method: "POST", body, headers: common });
  const long = await seen(url, { method: "POST", body, headers: { ...common, ...BY_YOGA } });
  const request = `${JSON.stringify(headers)} ${body.slice(0, 200)}`;
  return { short: { request, ...short }, long: { request, ...long } };
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
    const { short, long } = await throughBoth(body, accept === undefined ? {} : { accept });
    expect(long).toEqual(short);
    expect(short.status).toBeLessThan(500);
  }
});

test.each(["", "Bearer", "Bearer two words", "Basic eDp5"])(
  "with Authorization %j",
  async (authorization) => {
    const { short, long } = await throughBoth(operation("{ plexConnection(id: 5) { pk } }"), {
      authorization,
    });
    expect(long).toEqual(short);
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
    const { short, long } = await throughBoth(body.join(""), {});
    expect(long).toEqual(short);
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
      const short = await seen(input, { ...init, headers });
      const long = await seen(input, { ...init, headers: { ...headers, ...BY_YOGA } });
      compared += 1;
      if (JSON.stringify(short) !== JSON.stringify(long))
        differences.push(`${init.method} ${JSON.stringify(init.body)}`);
      return fetch(input, { ...init, headers });
    },
  });
  for (const audit of audits) await audit.fn();
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThanOrEqual(audits.length);
});
