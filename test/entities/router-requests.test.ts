import { beforeEach, describe, expect, it } from "vitest";
import { askBody } from "../support/ask.ts";
import { startGateway, useGateway } from "../support/gateway.ts";

const QUERY =
  "query Named__authentik__0($representations:[_Any!]!){_entities(representations:$representations){...on PlexSourceConnection{identifier user}}}";
const VARIABLES = { representations: [{ __typename: "PlexSourceConnection", pk: 5 }] };
const DATA = { _entities: [{ identifier: "70000005", user: 1005 }] };

/** What routers send with a subgraph request, as seen on the wire or in their source. */
const ROUTERS: readonly [
  router: string,
  headers: Record<string, string>,
  mediaType: string,
  members: object,
][] = [
  ["@apollo/gateway", { accept: "*/*" }, "application/json", { operationName: null, extensions: null }],
  [
    "Apollo Router",
    {
      accept: "application/json, application/graphql-response+json",
      "apollo-federation-include-trace": "ftv1",
    },
    "application/json",
    { operationName: "Named__authentik__0", extensions: {} },
  ],
  [
    "Hive Gateway",
    {
      accept: "application/graphql-response+json, application/json, multipart/mixed",
      "x-request-id": "2f1b4c9e-7f0a-4d8e-9a57-3f2a1c0b9d8e",
    },
    "application/graphql-response+json",
    { extensions: { hiveClientName: "web" } },
  ],
  [
    "Cosmo Router",
    { accept: "application/json", "accept-encoding": "gzip, deflate", "user-agent": "cosmo-router" },
    "application/json",
    {},
  ],
];

describe("requests of routers", () => {
  const at = useGateway(beforeEach);
  const send = (body: unknown, headers: Record<string, string> = {}) =>
    askBody(at.gateway.url, JSON.stringify(body), { headers });

  it.each(ROUTERS)(
    "of %s are answered as it asks, and for no shared cache",
    async (_router, headers, mediaType, members) => {
      for (const [body, status, data] of [
        [{ query: QUERY, variables: VARIABLES, ...members }, 200, DATA],
        [{ query: "{" }, mediaType === "application/json" ? 200 : 400, undefined],
        [[], 400, undefined],
      ]) {
        const reply = await send(body, headers);
        expect([reply.status, reply.data]).toEqual([status, data]);
        expect(Object.fromEntries(reply.headers)).toMatchObject({
          "content-type": `${mediaType}; charset=utf-8`,
          "cache-control": "private, no-store",
          vary: expect.stringMatching(/^Authorization\b/),
        });
        expect(reply.headers.get("content-encoding")).toBeNull();
      }
    },
  );

  it("get a trace where they ask for one, without anything that a client may not see", async () => {
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

  it("in an array are refused by default", async () => {
    const { status, codes } = await send([{ query: QUERY, variables: VARIABLES }]);
    expect([status, codes]).toEqual([400, ["BAD_REQUEST"]]);
    expect(at.authentik.requests).toEqual([]);
  });

  it("find the whole SDL by _service, also where introspection is off", async () => {
    const closed = await startGateway({ authentikUrl: at.authentik.url, gateway: { introspection: false } });
    const reply = await closed.post("{ _service { sdl } }", { authorization: null });
    expect(JSON.stringify(reply.data)).toContain("type PlexSourceConnection");
    const refused = await closed.post("{ __schema { queryType { name } } }", { authorization: null });
    expect(refused.data ?? null).toBeNull();
    await closed.close();
  });
});

describe("requests in an array, where they are allowed", () => {
  const at = useGateway(beforeEach, {}, { gateway: { batchLimit: 4 } });

  it("are answered in their order, each for itself, with one call for one connection", async () => {
    const operations = [
      { query: QUERY, variables: VARIABLES },
      { query: "{ plexConnection(id: 5) { pk user } }" },
      { query: "{ plexConnection(id: 0) { pk } }" },
      { query: "{ nothing }" },
    ];
    const { status, result } = await askBody(at.gateway.url, JSON.stringify(operations));
    expect([status, result]).toMatchObject([
      200,
      [
        { data: DATA },
        { data: { plexConnection: { pk: 5, user: 1005 } } },
        { data: { plexConnection: null }, errors: [{ extensions: { code: "BAD_USER_INPUT" } }] },
        { errors: [{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }] },
      ],
    ]);
    expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
  });
});
