import { describe, expect, onTestFinished, test } from "vitest";
import { household } from "../support/fake-household.ts";
import { startBefore } from "../support/gateway.ts";
import { houseForTest } from "../support/house-gateway.ts";
import { testSchema } from "../support/schema.ts";

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
    const at = await houseForTest("2025.4", { viewers: 97 });
    const { errors, calls: sent } = await at.ask("administrator", query);
    expect({ errors, sent }).toEqual({ errors: [], sent: calls });
  });
});

/** A gateway with a cache before a household. */
async function housesCache(options: { mutations?: boolean; operationTimeoutMs?: number } = {}) {
  const house = household({ viewers: 347 });
  const { authentik, gateway, close } = await startBefore(
    { sandbox: { release: "2025.4", directory: house } },
    {
      authentik: { cacheTtlMs: 60_000 },
      gateway: { operationTimeoutMs: options.operationTimeoutMs ?? 10_000 },
      schema: testSchema({ mutations: options.mutations ?? false }),
    },
  );
  onTestFinished(close);
  return { house, authentik, gateway };
}

describe("a cache", () => {
  test("takes no rows along that moved up from a page which it holds", async () => {
    const { house, gateway } = await housesCache();
    const page = async (after: string | null): Promise<{ pks: number[]; end: string | null }> => {
      const query = `query ($after: String) { plexConnections(first: 100, after: $after) {
        nodes { pk } pageInfo { hasNextPage endCursor }
      } }`;
      const { data } = await gateway.post(query, { variables: { after } });
      const { nodes, pageInfo } = (data ?? {})["plexConnections"] as {
        nodes: { pk: number }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
      return { pks: nodes.map(({ pk }) => pk), end: pageInfo.hasNextPage ? pageInfo.endCursor : null };
    };
    const before = [...house.connections.keys()];
    const { pks: read, end } = await page(null);
    for (const pk of [5, 6, 7]) house.connections.delete(pk);
    for (let after = end; after !== null;) {
      const next = await page(after);
      read.push(...next.pks);
      after = next.end;
    }
    expect(read).toEqual(before);
  });

  test("keeps nothing of a caller whose deletion may still come to pass", async () => {
    const { house, authentik, gateway } = await housesCache({ mutations: true, operationTimeoutMs: 300 });
    authentik.answer(({ method }, _response, fallback) => {
      if (method !== "DELETE") fallback();
    });
    const { codes } = await gateway.post(`mutation { plexConnectionDelete(input: { id: 5 }) { deletedId } }`);
    const read = async () => (await gateway.post("{ plexConnection(id: 5) { pk } }")).data;
    expect([codes, await read()]).toEqual([["UPSTREAM_TIMEOUT"], { plexConnection: { pk: 5 } }]);
    house.connections.delete(5);
    expect(await read()).toEqual({ plexConnection: null });
  });
});

test("who may read only some users and groups finds themselves and their own group", async () => {
  const at = await houseForTest("2025.4");
  const alice = at.house.users.get(42);
  const family = alice?.groups[0]?.pk ?? "";
  at.authentik.answer(({ path }, response, fallback) => {
    if (!/core\/(users|groups)\/[^m]/.test(path)) return fallback();
    response.writeHead(404, { "Content-Type": "application/json" }).end(`{"detail":"Not found."}`);
  });
  const query = `query ($family: [_Any!]!) {
    plexConnection(id: 5) { owner { email } }
    _entities(representations: $family) { ... on AuthentikGroup { name } }
  }`;
  const variables = { family: [{ __typename: "AuthentikGroup", pk: family }] };
  expect(await at.ask("alice", query, variables)).toMatchObject({
    data: { plexConnection: { owner: { email: alice?.email } }, _entities: [{ name: "family" }] },
    errors: [],
  });
});
