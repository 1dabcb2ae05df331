import { describe, expect, test } from "vitest";
import { sandboxGatewayForTest, SHAPES } from "../support/sandbox-gateway.ts";

const LIST = "/sources/user_connections/plex/?";

describe.each(SHAPES)("authentik %s", (shape) => {
  test("100 links with owner, source and the owner's connections: the page, the users, one list", async () => {
    const at = await sandboxGatewayForTest(shape, { viewers: 250 });
    const query = `{ plexConnections(first: 100, sort: ID_DESC) { nodes {
      owner { username plexConnections { id } } source { slug plex { clientId } }
    } } }`;
    const { data, errors, calls } = await at.ask("administrator", query);
    expect(errors).toEqual([]);
    const { nodes } = (data ?? {})["plexConnections"] as { nodes: unknown[] };
    expect(nodes).toHaveLength(100);
    expect(nodes[0]).toEqual({
      owner: { username: "viewer1250", plexConnections: [{ id: "1250" }] },
      source: { slug: "cinema", plex: { clientId: "client-of-cinema" } },
    });
    const callsTo = (start: string) => calls.filter((path) => path.startsWith(start));
    expect(callsTo(`${LIST}ordering=user,pk`)).toEqual(
      [1, 2, 3].map((page) => `${LIST}ordering=user,pk&page=${page}&page_size=100`),
    );
    expect(callsTo("/sources/plex/")).toHaveLength(1);
    // Three users stand on the next page: they cost less alone.
    expect(callsTo("/core/users/").length).toBeLessThanOrEqual(4);
    expect(calls.length).toBeLessThanOrEqual(9);
  });

  test("each row's source asks for the same page once", async () => {
    const at = await sandboxGatewayForTest(shape, { viewers: 50 });
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
    const at = await sandboxGatewayForTest(shape);
    const query = "{ plexConnections { nodes { id owner { username } } } }";
    const owner = { username: "alice" };
    const data = { plexConnections: { nodes: [5, 7].map((pk) => ({ id: String(pk), owner })) } };
    for (const users of [["/core/users/42/", "/core/users/me/"], ["/core/users/me/"]]) {
      expect(await at.ask("alice", query)).toEqual({
        data,
        errors: [],
        calls: [expect.any(String), ...users],
      });
      expect(at.gateway.records.at(-1)?.usage).toMatchObject({ keysRequested: 2, keysFetched: 1 });
    }
  });
});

test("who may see connections and not users reads the rest, and each name is FORBIDDEN at its own place", async () => {
  const at = await sandboxGatewayForTest("2025.4");
  // Since 2025.2 a permission shows all connections to somebody who may not read users.
  at.authentik.answer((request, _response, fallback) => {
    if (request.path.includes("user_connections"))
      Object.assign(request, { authorization: "Bearer token-of-administrator" });
    fallback();
  });
  const { data, errors, calls } = await at.ask(
    "alice",
    "{ plexConnections { nodes { pk owner { username } } } }",
  );
  const nodes = [5, 6, 7].map((pk) => ({ pk, owner: pk === 6 ? null : { username: "alice" } }));
  expect(data).toEqual({ plexConnections: { nodes } });
  expect(errors).toEqual(["plexConnections.nodes.1.owner FORBIDDEN"]);
  expect(calls).toHaveLength(3);
});
