import { beforeEach, describe, expect, test } from "vitest";
import { askBody } from "../support/ask.ts";
import { useGateway } from "../support/gateway.ts";

const QUERY =
  "query Named__authentik__0($representations:[_Any!]!){_entities(representations:$representations){...on PlexSourceConnection{identifier user}}}";
const VARIABLES = { representations: [{ __typename: "PlexSourceConnection", pk: 5 }] };
const DATA = { _entities: [{ identifier: "70000005", user: 1005 }] };

describe("requests of routers", () => {
  const at = useGateway(beforeEach, {}, { authentik: { list: false } });
  const send = (body: unknown, headers: Record<string, string> = {}) =>
    askBody(at.gateway.url, JSON.stringify(body), { headers });

  test.each([
    ["*/*", "application/json"],
    [
      "application/graphql-response+json, application/json, multipart/mixed",
      "application/graphql-response+json",
    ],
  ])("that accept %s are answered so, and for no shared cache", async (accept, mediaType) => {
    const body = {
      query: QUERY,
      variables: VARIABLES,
      operationName: null,
      extensions: { hiveClientName: "web" },
    };
    const reply = await send(body, { accept, "accept-encoding": "gzip, deflate" });
    expect([reply.status, reply.data]).toEqual([200, DATA]);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "content-type": `${mediaType}; charset=utf-8`,
      "cache-control": "private, no-store",
      vary: expect.stringMatching(/^Authorization\b/),
    });
    expect(reply.headers.get("content-encoding")).toBeNull();
  });

  test("ask for each connection once, however many aliases and representations a router makes of them", async () => {
    const keys = Array.from({ length: 128 }, (_, index) => 1 + ((index * 7) % 100));
    const batches = Array.from({ length: 16 }, (_, alias) => keys.slice(alias * 8, alias * 8 + 8));
    const declarations = batches.map((_, index) => `$r${index}: [_Any!]!`).join(", ");
    const fields = batches.map(
      (_, index) =>
        `_e${index}: _entities(representations: $r${index}) { ... on PlexSourceConnection { pk user } }`,
    );
    const { result } = await at.gateway.post(`query (${declarations}) { ${fields.join(" ")} }`, {
      variables: Object.fromEntries(
        batches.map((batch, index) => [
          `r${index}`,
          batch.map((pk) => ({ __typename: "PlexSourceConnection", pk })),
        ]),
      ),
    });
    const data = batches.map((batch, index) => [`_e${index}`, batch.map((pk) => ({ pk, user: 1000 + pk }))]);
    expect(result).toEqual({ data: Object.fromEntries(data) });
    const paths = Array.from(
      { length: 100 },
      (_, index) => `/api/v3/sources/user_connections/plex/${index + 1}/`,
    );
    expect(at.authentik.paths().toSorted()).toEqual(paths.toSorted());
  });

  test("get a trace where they ask for one, without anything that a client may not see", async () => {
    at.authentik.directory.clear();
    const headers = { "apollo-federation-include-trace": "ftv1" };
    const traced = await at.gateway.post(QUERY, { variables: VARIABLES, headers });
    const untraced = await at.gateway.post(QUERY, { variables: VARIABLES });
    expect(untraced.extensions).toBeUndefined();
    const trace = Buffer.from(String(traced.extensions?.["ftv1"]), "base64").toString("latin1");
    expect(trace).toContain("_entities");
    expect(trace).not.toContain("token-of-administrator");
    expect(trace).not.toContain(at.authentik.url.port);
  });

  test("in an array are refused by default", async () => {
    const { status, codes } = await send([{ query: QUERY, variables: VARIABLES }]);
    expect([status, codes]).toEqual([400, ["BAD_REQUEST"]]);
    expect(at.authentik.requests).toEqual([]);
  });
});

describe("requests in an array, where they are allowed", () => {
  const at = useGateway(beforeEach, {}, { gateway: { batchLimit: 4 } });

  test("are answered in their order, each for itself, with one call for one connection", async () => {
    const operations = [
      { query: QUERY, variables: VARIABLES },
      { query: "{ plexConnection(id: 5) { pk user } }" },
      { query: "{ nothing }" },
    ];
    const { status, result } = await askBody(at.gateway.url, JSON.stringify(operations));
    expect([status, result]).toMatchObject([
      200,
      [
        { data: DATA },
        { data: { plexConnection: { pk: 5, user: 1005 } } },
        { errors: [{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }] },
      ],
    ]);
    expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
  });
});
