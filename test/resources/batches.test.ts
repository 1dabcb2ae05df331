import { describe, expect, test } from "vitest";
import { json, page, type Sending } from "../support/fake-authentik.ts";
import { type HouseGateway, houseForTest, SHAPES } from "../support/house-gateway.ts";

const LIST = "/sources/user_connections/plex/?";

describe.each(SHAPES)("authentik %s with 250 viewers", (shape) => {
  test("100 links of a source with names and the source: three calls", async () => {
    const at = await houseForTest(shape, { viewers: 250 });
    const query = `{ plexConnections(first: 100, filter: { source: "cinema" }) {
      totalCount nodes { identifier owner { username name } source { name slug } }
    } }`;
    const { data, errors, calls } = await at.ask("administrator", query);
    expect(errors).toEqual([]);
    const { nodes, totalCount } = (data ?? {})["plexConnections"] as { nodes: unknown[]; totalCount: number };
    expect(totalCount).toBe(251);
    expect(nodes[1]).toEqual({
      identifier: "70001001",
      owner: { username: "viewer1001", name: "Viewer1001" },
      source: { name: "Cinéma du coin 🎬", slug: "cinema" },
    });
    expect(calls.slice(0, 2)).toEqual([
      `${LIST}source__slug=cinema&ordering=pk&page=1&page_size=100`,
      "/core/users/?ordering=pk&page=1&page_size=100",
    ]);
    // Three users stand on the next page: they cost less alone.
    expect(calls.length).toBeLessThanOrEqual(5);
  });

  test("100 with owner, source, and the owner's connections: the page, the users, one list", async () => {
    const at = await houseForTest(shape, { viewers: 250 });
    const query = `{ plexConnections(first: 100, sort: ID_DESC) { nodes {
      owner { username plexConnections { id } } source { slug plex { clientId } }
    } } }`;
    const { data, errors, calls } = await at.ask("administrator", query);
    expect(errors).toEqual([]);
    const { nodes } = (data ?? {})["plexConnections"] as { nodes: unknown[] };
    expect(nodes[0]).toEqual({
      owner: { username: "viewer1250", plexConnections: [{ id: "1250" }] },
      source: { slug: "cinema", plex: { clientId: "client-of-cinema" } },
    });
    expect(calls.filter((path) => path.startsWith(`${LIST}ordering=user,pk`))).toEqual([
      `${LIST}ordering=user,pk&page=1&page_size=100`,
      `${LIST}ordering=user,pk&page=2&page_size=100`,
      `${LIST}ordering=user,pk&page=3&page_size=100`,
    ]);
    expect(calls.filter((path) => path.startsWith("/sources/plex/"))).toHaveLength(1);
    expect(calls.filter((path) => path.startsWith("/core/users/")).length).toBeLessThanOrEqual(4);
    expect(calls.length).toBeLessThanOrEqual(9);
  });

  test("each row's source asks for the same page once", async () => {
    const at = await houseForTest(shape, { viewers: 50 });
    const query =
      "{ plexConnections(first: 50) { nodes { source { plexConnections(first: 1) { totalCount } } } } }";
    const { errors, calls } = await at.ask("administrator", query);
    expect(errors).toEqual([]);
    expect(calls).toEqual([
      `${LIST}ordering=pk&page=1&page_size=50`,
      `${LIST}source__slug=plex&ordering=pk&page=1&page_size=1`,
      `${LIST}source__slug=cinema&ordering=pk&page=1&page_size=1`,
    ]);
  });

  test("an ordinary user is refused once for all, not for each", async () => {
    const at = await houseForTest(shape);
    const query = "{ plexConnections { nodes { id owner { username } } } }";
    const owner = { username: "alice" };
    const data = { plexConnections: { nodes: [5, 7].map((pk) => ({ id: String(pk), owner })) } };
    for (const users of [["/core/users/42/", "/core/users/me/"], ["/core/users/me/"]])
      expect(await at.ask("alice", query)).toEqual({
        data,
        errors: [],
        calls: [expect.any(String), ...users],
      });
  });
});

test("who may see connections and not users reads the rest, and each name is FORBIDDEN at its own place", async () => {
  const at = await houseForTest("2025.4");
  // Since 2025.2 a permission shows all connections to somebody who may not read users.
  at.authentik.answer((request, _response, fallback) => {
    if (request.path.includes("user_connections"))
      Object.assign(request, { authorization: "Bearer token-of-administrator" });
    fallback();
  });
  const query = "{ plexConnections { nodes { pk owner { username } } } }";
  const { data, errors, calls } = await at.ask("alice", query);
  expect(data).toEqual({
    plexConnections: {
      nodes: [
        { pk: 5, owner: { username: "alice" } },
        { pk: 6, owner: null },
        { pk: 7, owner: { username: "alice" } },
      ],
    },
  });
  expect(errors).toEqual(["plexConnections.nodes.1.owner FORBIDDEN"]);
  expect(calls).toHaveLength(3);
});

/** Answers so wherever the path has this in it. */
function answer(at: HouseGateway, part: string, sending: Sending): void {
  at.authentik.answer((request, response, fallback) =>
    request.path.includes(part) ? sending(response) : fallback(),
  );
}

describe("where the whole list fails", () => {
  const QUERY = `{ authentikUsers(first: 20, filter: { search: "viewer" }) { nodes { pk plexConnections { pk } } } }`;
  const WHOLE = `${LIST}ordering=user,pk&page=1&page_size=100`;
  const viewers = Array.from({ length: 20 }, (_, index) => 1001 + index);
  const ofEach = viewers.map((pk) => `${LIST}user=${pk}&ordering=pk&page=1&page_size=100`);
  const nodes = (isAnswered: (pk: number) => boolean) =>
    viewers.map((pk) => ({ pk, plexConnections: isAnswered(pk) ? [{ pk }] : null }));
  const failing = (code: string, isFailing: (pk: number) => boolean) =>
    viewers.flatMap((pk, index) =>
      isFailing(pk) ? [`authentikUsers.nodes.${index}.plexConnections ${code}`] : [],
    );

  test("one row that cannot be read costs its own key only", async () => {
    const at = await houseForTest("2025.4", { viewers: 20 });
    const broken = at.house.connections.get(1003)!;
    at.house.connections.set(1003, { ...broken, created: "one day" });
    const { data, errors, calls } = await at.ask("administrator", QUERY);
    expect(data).toEqual({ authentikUsers: { nodes: nodes((pk) => pk !== 1003) } });
    expect(errors).toEqual(failing("UPSTREAM_INVALID_RESPONSE", (pk) => pk === 1003));
    expect(calls.slice(1).toSorted()).toEqual([WHOLE, ...ofEach]);
  });

  test.each<[what: string, sending: Sending]>([
    ["500", page(500, "error")],
    ["a page", page(404, "no such route")],
    ["403", json(403, { detail: "no permission" })],
    ["another shape", json(200, { hello: 1 })],
  ])("with %s: each key is asked for, where authentik can filter", async (_what, sending) => {
    const at = await houseForTest("2025.4", { viewers: 20 });
    answer(at, "ordering=user,pk", sending);
    const { data, errors, calls } = await at.ask("administrator", QUERY);
    expect({ data, errors }).toEqual({ data: { authentikUsers: { nodes: nodes(() => true) } }, errors: [] });
    expect(calls.slice(1).toSorted()).toEqual([WHOLE, ...ofEach]);
  });

  test("and where it cannot, the list is not read again", async () => {
    const at = await houseForTest("2024.2", { viewers: 20 });
    answer(at, "ordering=user,pk", page(500, "error"));
    const { errors, calls } = await at.ask("administrator", QUERY);
    expect(errors).toEqual(failing("UPSTREAM_ERROR", () => true));
    expect(calls.slice(1)).toEqual([WHOLE, ofEach[0]]);
  });

  test.each<[code: string, sending: Sending, sent: number]>([
    ["UPSTREAM_UNAVAILABLE", page(502, "bad gateway"), 2],
    ["RATE_LIMITED", json(429, { detail: "slow down" }), 1],
    ["UNAUTHENTICATED", json(401, { detail: "Token invalid/expired" }), 1],
  ])("with %s: no key is asked for", async (code, sending, sent) => {
    const at = await houseForTest("2025.4", { viewers: 20 });
    answer(at, "ordering=user,pk", sending);
    const { errors, calls } = await at.ask("administrator", QUERY);
    expect(errors).toEqual(failing(code, () => true));
    expect(calls.slice(1)).toEqual(Array.from({ length: sent }, () => WHOLE));
  });

  test("because users may not be read: nobody is asked for by name", async () => {
    const at = await houseForTest("2025.4");
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on AuthentikUser { pk } } }`;
    const of = ["alice", "bob", "stranger"].map((username) => ({ __typename: "AuthentikUser", username }));
    expect(await at.ask("alice", query, { of })).toEqual({
      data: { _entities: [{ pk: 42 }, null, null] },
      errors: ["_entities.1 FORBIDDEN", "_entities.2 FORBIDDEN"],
      calls: [
        expect.stringMatching(/^\/core\/users\/\?ordering=pk&page=1&page_size=\d+$/),
        "/core/users/me/",
      ],
    });
  });
});
