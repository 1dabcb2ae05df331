import { beforeEach, describe, expect, test } from "vitest";
import { askBody } from "../support/ask.ts";
import { useGateway } from "../support/gateway.ts";
import { representations } from "../security/adversarial-documents.ts";

const QUERY =
  "query Named__authentik__0($representations:[_Any!]!){_entities(representations:$representations){...on PlexSourceConnection{identifier user}}}";
const VARIABLES = { representations: [{ __typename: "PlexSourceConnection", pk: 5 }] };
const DATA = { _entities: [{ identifier: "70000005", user: 1005 }] };
const JSON_TYPE = "application/json";
const GRAPHQL_TYPE = "application/graphql-response+json";

describe("requests of routers", () => {
  const at = useGateway(beforeEach, {}, { authentik: { list: false } });
  const send = (body: unknown, headers: Record<string, string> = {}) =>
    askBody(at.gateway.url, JSON.stringify(body), { headers });

  test.each([
    ["*/*", JSON_TYPE],
    [`${GRAPHQL_TYPE}, ${JSON_TYPE}, multipart/mixed`, GRAPHQL_TYPE],
  ])("that accept %s are answered so, and for no shared cache", async (accept, mediaType) => {
    const extensions = { hiveClientName: "web" };
    const body = { query: QUERY, variables: VARIABLES, operationName: null, extensions };
    const { status, data, headers } = await send(body, { accept, "accept-encoding": "gzip, deflate" });
    expect([status, data]).toEqual([200, DATA]);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": `${mediaType}; charset=utf-8`,
      "cache-control": "private, no-store",
      vary: expect.stringMatching(/^Authorization\b/),
    });
    expect(headers.get("content-encoding")).toBeNull();
  });

  test("ask for each connection once, however many of their aliases want it", async () => {
    const all = representations(100);
    const query = `query ($a: [_Any!]!, $b: [_Any!]!) {
      a: _entities(representations: $a) { ... on PlexSourceConnection { pk user } }
      b: _entities(representations: $b) { ... on PlexSourceConnection { pk user } }
    }`;
    const { result } = await at.gateway.post(query, { variables: { a: all.slice(0, 60), b: all.slice(40) } });
    const users = Array.from({ length: 100 }, (_, index) => ({ pk: index + 1, user: 1001 + index }));
    expect(result).toEqual({ data: { a: users.slice(0, 60), b: users.slice(40) } });
    const paths = users.map(({ pk }) => `/api/v3/sources/user_connections/plex/${pk}/`);
    expect(at.authentik.paths().toSorted()).toEqual(paths.toSorted());
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
