import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HouseGateway, SHAPES, startHouse } from "../support/house-gateway.ts";

// The questions that people have, each in one operation: what is answered, to whom, and what it costs authentik.

const LIST = "/sources/user_connections/plex/?";
const SEARCH = `${LIST}search=12345678&ordering=pk&page=1&page_size=100`;
const EVERYTHING = `${LIST}ordering=pk&page=1&page_size=100`;
const OF_ALICE = `${LIST}user=42&ordering=pk&page=1&page_size=100`;
const SOURCES = "/sources/plex/?ordering=slug&page=1&page_size=100";

describe.each(SHAPES)("authentik %s", (shape) => {
  let at: HouseGateway;
  beforeEach(async () => {
    at = await startHouse(shape);
  });
  afterEach(() => at.close());

  /** What the administrator gets for one field. */
  async function dataOf(field: string): Promise<unknown> {
    const { data } = await at.ask("administrator", `{ field: ${field} }`);
    return data?.["field"];
  }

  const connections = (filter: string) =>
    dataOf(`plexConnections(filter: {${filter}}) { totalCount nodes { id } }`);

  const isOld = shape === "2024.2" || shape === "2024.8";

  describe("who is Plex account N", () => {
    const QUERY = `{ plexAccount(id: "12345678") { id plexConnections { id owner { username } source { slug } } } }`;

    test("an administrator reads everybody who claims it, and nobody whose number only begins so", async () => {
      const { data, errors, calls } = await at.ask("administrator", QUERY);
      expect(errors).toEqual([]);
      expect(data).toEqual({
        plexAccount: {
          id: "12345678",
          plexConnections: [
            { id: "5", owner: { username: "alice" }, source: { slug: "plex" } },
            { id: "6", owner: { username: "bob" }, source: { slug: "plex" } },
          ],
        },
      });
      expect(calls).toEqual([
        SEARCH,
        // The search of old releases does not look at identifiers and finds nothing: only then the release is asked.
        ...(isOld ? ["/admin/version/", EVERYTHING] : []),
        "/core/users/?ordering=pk&page=1&page_size=20",
      ]);
      // What is known of the release is kept.
      const again = await at.ask("administrator", QUERY);
      expect(again.data).toEqual(data);
      expect(again.calls[0]).toBe(isOld ? EVERYTHING : SEARCH);
      expect(again.calls).not.toContain("/admin/version/");
    });

    test("an owner reads their own", async () => {
      const { data, errors } = await at.ask("alice", QUERY);
      expect(errors).toEqual([]);
      expect(data).toEqual({
        plexAccount: {
          id: "12345678",
          plexConnections: [{ id: "5", owner: { username: "alice" }, source: { slug: "plex" } }],
        },
      });
    });

    test("a stranger reads that they see nobody", async () => {
      const { data, errors } = await at.ask("stranger", QUERY);
      expect(errors).toEqual([]);
      expect(data).toEqual({ plexAccount: { id: "12345678", plexConnections: [] } });
    });

    test("without credentials nothing is asked", async () => {
      const { data, errors, calls } = await at.ask(null, QUERY);
      expect(data).toEqual({ plexAccount: { id: "12345678", plexConnections: null } });
      expect(errors).toEqual(["plexAccount.plexConnections UNAUTHENTICATED"]);
      expect(calls).toEqual([]);
    });

    test("the number alone costs nothing", async () => {
      const { data, calls } = await at.ask("administrator", `{ plexAccount(id: "1") { id } }`);
      expect(data).toEqual({ plexAccount: { id: "1" } });
      expect(calls).toEqual([]);
    });

    test.each(["none", '"odd" / ünï \u2028 ', "…", "%26=&page=2"])(
      "%j is found by no mistake",
      async (id) => {
        const query = "query ($id: ID!) { plexAccount(id: $id) { plexConnections { id } } }";
        const { data, errors } = await at.ask("administrator", query, { id });
        expect(errors).toEqual([]);
        expect(data).toEqual({ plexAccount: { plexConnections: [] } });
      },
    );
  });

  describe("is user X linked, where and to what", () => {
    const QUERY = `query ($name: String!) {
      plexConnections(filter: { username: $name }) { totalCount nodes { identifier source { slug } } }
    }`;
    const ALICE = {
      plexConnections: {
        totalCount: 2,
        nodes: [
          { identifier: "12345678", source: { slug: "plex" } },
          { identifier: "123456789", source: { slug: "cinema" } },
        ],
      },
    };

    test("an administrator: two calls", async () => {
      const { data, errors, calls } = await at.ask("administrator", QUERY, { name: "alice" });
      expect(errors).toEqual([]);
      expect(data).toEqual(ALICE);
      expect(calls).toEqual([
        "/core/users/?username=alice",
        OF_ALICE,
        // The answer to a filter that does not exist is everybody's: seen, and looked through instead.
        ...(shape === "2024.2" ? [`${LIST}ordering=user,pk&page=1&page_size=100`] : []),
      ]);
    });

    test("upper and lower case differ; nobody of that name: an empty list, one call", async () => {
      const { data, errors, calls } = await at.ask("administrator", QUERY, { name: "ALICE" });
      expect(errors).toEqual([]);
      expect(data).toEqual({ plexConnections: { totalCount: 0, nodes: [] } });
      expect(calls).toEqual(["/core/users/?username=ALICE"]);
    });

    test("who may not read users and names themselves", async () => {
      const { data, errors, calls } = await at.ask("alice", QUERY, { name: "alice" });
      expect(errors).toEqual([]);
      expect(data).toEqual(ALICE);
      expect(calls.slice(0, 2)).toEqual(["/core/users/?username=alice", "/core/users/me/"]);
      const again = await at.ask("alice", QUERY, { name: "alice" });
      expect(again.data).toEqual(ALICE);
      expect(again.calls[0]).toBe("/core/users/me/");
    });

    test("who names somebody else is told so, and reads no empty list", async () => {
      const { data, errors } = await at.ask("stranger", QUERY, { name: "alice" });
      expect(data).toEqual({ plexConnections: null });
      expect(errors).toEqual(["plexConnections FORBIDDEN"]);
    });
  });

  test("a filter by a user who does not exist: an empty list", async () => {
    const query = "{ plexConnections(filter: { user: 999999 }) { totalCount nodes { id } } }";
    const { data, errors } = await at.ask("administrator", query);
    expect(errors).toEqual([]);
    expect(data).toEqual({ plexConnections: { totalCount: 0, nodes: [] } });
  });

  test("all that is given must hold", async () => {
    expect(await connections(`username: "alice", source: "cinema"`)).toEqual({
      totalCount: 1,
      nodes: [{ id: "7" }],
    });
    expect(await connections(`user: 42, identifier: "12345678"`)).toEqual({
      totalCount: 1,
      nodes: [{ id: "5" }],
    });
    expect(await connections(`source: "plex", identifier: "12345678"`)).toMatchObject({ totalCount: 2 });
    expect(await connections(`source: "cinema", identifier: "12345678"`)).toMatchObject({ totalCount: 0 });
    expect(await connections(`username: "alice", user: 43`)).toMatchObject({ totalCount: 0 });
    expect(await connections(`source: "nope"`)).toMatchObject({ totalCount: 0 });
  });

  describe("all links of a source with names, newest first, with a total", () => {
    const QUERY = `{ plexSource(slug: "plex") {
      name plex { allowFriends allowedServers clientId }
      plexConnections(first: 2, sort: ID_DESC) { totalCount nodes { pk owner { name } } pageInfo { hasNextPage } }
    } }`;

    test("an administrator", async () => {
      const { data, errors, calls } = await at.ask("administrator", QUERY);
      expect(errors).toEqual([]);
      expect(data).toEqual({
        plexSource: {
          name: "Plex",
          plex: { allowFriends: true, allowedServers: ["aaaabbbbccccdddd"], clientId: "client-of-plex" },
          plexConnections: {
            totalCount: 2,
            nodes: [
              { pk: 6, owner: { name: "Bob" } },
              { pk: 5, owner: { name: "Alice" } },
            ],
            pageInfo: { hasNextPage: false },
          },
        },
      });
      expect(calls.slice(0, 2)).toEqual([
        SOURCES,
        `${LIST}source__slug=plex&ordering=-pk&page=1&page_size=2`,
      ]);
    });

    test("an owner finds the source through their own connection; what only administrators read is FORBIDDEN", async () => {
      const { data, errors } = await at.ask("alice", QUERY);
      expect(data).toEqual({
        plexSource: {
          name: "Plex",
          plex: null,
          plexConnections: {
            totalCount: 1,
            nodes: [{ pk: 5, owner: { name: "Alice" } }],
            pageInfo: { hasNextPage: false },
          },
        },
      });
      expect(errors).toEqual(["plexSource.plex FORBIDDEN"]);
    });

    test("a stranger finds no source", async () => {
      const { data, errors } = await at.ask("stranger", `${QUERY.slice(0, -1)} plexSources { slug } }`);
      expect(errors).toEqual([]);
      expect(data).toEqual({ plexSource: null, plexSources: [] });
    });
  });

  test("my links", async () => {
    const query = "{ authentikViewer { pk username email groups { name } plexConnections { identifier } } }";
    const alice = await at.ask("alice", query);
    expect(alice.errors).toEqual([]);
    expect(alice.data).toEqual({
      authentikViewer: {
        pk: 42,
        username: "alice",
        email: "alice@home.example",
        groups: [{ name: "family" }],
        plexConnections: [{ identifier: "12345678" }, { identifier: "123456789" }],
      },
    });
    expect(alice.calls.slice(0, 2)).toEqual(["/core/users/me/", OF_ALICE]);
    const stranger = await at.ask("stranger", query);
    expect(stranger.data).toMatchObject({ authentikViewer: { pk: 53, groups: [], plexConnections: [] } });
    const nobody = await at.ask(null, query);
    expect(nobody).toMatchObject({ data: { authentikViewer: null }, calls: [] });
    expect(nobody.errors).toEqual(["authentikViewer UNAUTHENTICATED"]);
  });

  test("the last login is for those who may read users", async () => {
    const query = "{ authentikViewer { username lastLogin } }";
    expect(await at.ask("administrator", query)).toMatchObject({
      data: { authentikViewer: { username: "administrator", lastLogin: "2025-01-02T03:04:05.678901Z" } },
      calls: ["/core/users/me/", "/core/users/41/"],
    });
    expect(await at.ask("alice", query)).toMatchObject({
      data: { authentikViewer: { username: "alice", lastLogin: null } },
      errors: ["authentikViewer.lastLogin FORBIDDEN"],
    });
  });

  describe("who is not linked", () => {
    const QUERY = "{ authentikUsers(first: 50) { totalCount nodes { username plexConnections { id } } } }";

    test("an administrator: one list of users, one of connections", async () => {
      const { data, errors, calls } = await at.ask("administrator", QUERY);
      expect(errors).toEqual([]);
      expect(data).toEqual({
        authentikUsers: {
          totalCount: 4,
          nodes: [
            { username: "administrator", plexConnections: [] },
            { username: "alice", plexConnections: [{ id: "5" }, { id: "7" }] },
            { username: "bob", plexConnections: [{ id: "6" }] },
            { username: "stranger", plexConnections: [] },
          ],
        },
      });
      expect(calls).toEqual([
        "/core/users/?ordering=pk&page=1&page_size=50",
        expect.stringMatching(/^\/sources\/user_connections\/plex\/\?ordering=user,pk&page=1&page_size=\d+$/),
      ]);
    });

    test("others may not", async () => {
      for (const user of ["alice", "stranger"]) {
        expect(await at.ask(user, QUERY)).toMatchObject({
          data: { authentikUsers: null },
          errors: ["authentikUsers FORBIDDEN"],
        });
      }
    });

    test("filters hold", async () => {
      expect(
        await dataOf(`authentikUsers(filter: {email: "alice@home.example"}) { nodes { username } }`),
      ).toEqual({ nodes: [{ username: "alice" }] });
      expect(
        await dataOf(`authentikUsers(filter: {search: "ali", isActive: true}) { nodes { username } }`),
      ).toEqual({ nodes: [{ username: "alice" }] });
      expect(await dataOf(`authentikUsers(filter: {group: "nobody's"}) { nodes { username } }`)).toEqual({
        nodes: [],
      });
      expect(
        await dataOf(`authentikUsers(filter: {group: "family", search: "stranger"}) { nodes { username } }`),
      ).toEqual({ nodes: [] });
    });
  });

  test("which accounts are claimed twice", async () => {
    const query =
      "{ plexConnections(sort: IDENTIFIER_ASC) { nodes { identifier account { plexConnections { id } } } } }";
    const { data, errors, calls } = await at.ask("administrator", query);
    expect(errors).toEqual([]);
    expect(data).toEqual({
      plexConnections: {
        nodes: [
          { identifier: "12345678", account: { plexConnections: [{ id: "5" }, { id: "6" }] } },
          { identifier: "12345678", account: { plexConnections: [{ id: "5" }, { id: "6" }] } },
          { identifier: "123456789", account: { plexConnections: [{ id: "7" }] } },
        ],
      },
    });
    expect(calls.length).toBeLessThanOrEqual(4);
  });

  test("a user by name", async () => {
    const query = `query ($name: String!) { authentikUser(username: $name) { id name isActive email lastLogin } }`;
    expect(await at.ask("administrator", query, { name: "bob" })).toEqual({
      data: { authentikUser: { id: "43", name: "Bob", isActive: true, email: null, lastLogin: null } },
      errors: [],
      calls: ["/core/users/?username=bob"],
    });
    expect(await at.ask("administrator", query, { name: "nobody" })).toMatchObject({
      data: { authentikUser: null },
      errors: [],
    });
    expect(await at.ask("alice", query, { name: "bob" })).toMatchObject({
      data: { authentikUser: null },
      errors: ["authentikUser FORBIDDEN"],
    });
  });

  test("the keys of an owner cost nothing", async () => {
    const { data, calls } = await at.ask("stranger", "{ plexConnection(id: 5) { pk } }");
    expect(data).toEqual({ plexConnection: null });
    expect(calls).toHaveLength(1);
    const own = await at.ask("alice", "{ plexConnection(id: 5) { owner { id pk } account { id } } }");
    expect(own.data).toEqual({
      plexConnection: { owner: { id: "42", pk: 42 }, account: { id: "12345678" } },
    });
    expect(own.calls).toEqual(["/sources/user_connections/plex/5/"]);
  });
});
