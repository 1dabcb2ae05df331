import { describe, expect, test } from "vitest";
import { sandboxGatewayForTest } from "../support/sandbox-gateway.ts";

const LIST = "/sources/user_connections/plex/";

describe("one operation asks nothing twice", () => {
  test.each([
    [
      "a list that two fields need",
      `{ plexConnections(first: 100) { nodes { account { plexConnections { id } } } } }`,
      [`${LIST}?ordering=pk&page=1&page_size=100`],
    ],
    [
      "a user who was found by name",
      `{ plexConnections(filter: { username: "bob" }) { nodes { owner { email } } } }`,
      ["/core/users/?username=bob", `${LIST}?user=43&ordering=pk&page=1&page_size=100`],
    ],
    [
      "users who were listed",
      `{ authentikUsers(first: 1, filter: { email: "alice@home.example" }) { nodes {
        plexConnections { owner { name } }
      } } }`,
      [
        "/core/users/?email=alice%40home.example&ordering=pk&page=1&page_size=1",
        `${LIST}?user=42&ordering=pk&page=1&page_size=100`,
      ],
    ],
  ])("%s", async (_what, query, calls) => {
    const at = await sandboxGatewayForTest("2025.4", { viewers: 97 });
    const { errors, calls: sent } = await at.ask("administrator", query);
    expect({ errors, sent }).toEqual({ errors: [], sent: calls });
  });
});

describe("a cache", () => {
  test("takes no rows along that moved up from a page which it holds", async () => {
    const { ask, directory } = await sandboxGatewayForTest("2025.4", { viewers: 347, cacheTtlMs: 60_000 });
    const before = [...directory.connections.keys()];
    const page = async (after: string | null) => {
      const query = `query ($after: String) { plexConnections(first: 100, after: $after) {
        nodes { pk } pageInfo { endCursor }
      } }`;
      const { data } = await ask("administrator", query, { after });
      return (data ?? {})["plexConnections"] as { nodes: object[]; pageInfo: { endCursor: string } };
    };
    const { endCursor } = (await page(null)).pageInfo;
    for (const pk of [5, 6, 7]) directory.connections.delete(pk);
    expect((await page(endCursor)).nodes).toEqual(before.slice(100, 200).map((pk) => ({ pk })));
  });

  test("keeps nothing of a caller whose deletion may still come to pass", async () => {
    const options = { mutations: true, cacheTtlMs: 60_000, operationTimeoutMs: 300 };
    const { ask, authentik, directory } = await sandboxGatewayForTest("2025.4", options);
    authentik.answer(({ method }, _response, fallback) => {
      if (method !== "DELETE") fallback();
    });
    await ask("alice", `mutation { plexConnectionDelete(input: { id: 5 }) { deletedId } }`);
    const read = async () => (await ask("alice", "{ plexConnection(id: 5) { pk } }")).data;
    expect(await read()).toEqual({ plexConnection: { pk: 5 } });
    directory.connections.delete(5);
    expect(await read()).toEqual({ plexConnection: null });
  });
});

test("who may read only some users and groups finds themselves and their own group", async () => {
  const at = await sandboxGatewayForTest("2025.4");
  const alice = at.directory.users.get(42);
  const family = alice?.groups[0]?.pk ?? "";
  at.authentik.answer(({ path }, response, fallback) => {
    if (!/core\/(users|groups)\/[^m]/.test(path)) return fallback();
    response.writeHead(404, { "Content-Type": "application/json" }).end(`{"detail":"Not found."}`);
  });
  const query = `query ($family: [_Any!]!) {
    plexConnection(id: 5) { owner { email lastLogin } }
    _entities(representations: $family) { ... on AuthentikGroup { name } }
  }`;
  const variables = { family: [{ __typename: "AuthentikGroup", pk: family }] };
  expect(await at.ask("alice", query, variables)).toMatchObject({
    data: { plexConnection: { owner: { email: alice?.email } }, _entities: [{ name: "family" }] },
    errors: ["plexConnection.owner.lastLogin FORBIDDEN"],
  });
});

test("where the caller cannot be read, that is told of what may be theirs, and of nothing else", async () => {
  const at = await sandboxGatewayForTest("2025.4");
  const breakMe = () =>
    at.authentik.answer(({ path }, response, fallback) => {
      if (path.includes("/me/")) response.writeHead(500).end();
      else fallback();
    });
  breakMe();
  const owner = "{ plexConnection(id: 5) { owner { name } } }";
  expect((await at.ask("alice", owner)).errors).toEqual(["plexConnection.owner UPSTREAM_ERROR"]);
  at.authentik.answer(null);
  await at.ask("administrator", "{ authentikViewer { pk } }");
  breakMe();
  const query = `query ($keys: [_Any!]!) { _entities(representations: $keys) { ... on AuthentikUser { name } } }`;
  const keys = [41, 999].map((pk) => ({ __typename: "AuthentikUser", pk }));
  expect(await at.ask("administrator", query, { keys })).toMatchObject({
    data: { _entities: [{ name: "Administrator" }, null] },
    errors: [],
  });
});
