import { beforeEach, describe, expect, test } from "vitest";
import { type HouseGateway, SHAPES, startHouse } from "../support/house-gateway.ts";

// The questions that people have, each in one operation: what is answered, to whom, and what it costs authentik.

const LIST = "/sources/user_connections/plex/?";
const SEARCH = `${LIST}search=12345678&ordering=pk&page=1&page_size=100`;
const EVERYTHING = `${LIST}ordering=pk&page=1&page_size=100`;
const OF_ALICE = `${LIST}user=42&ordering=pk&page=1&page_size=100`;
const SOURCES = "/sources/plex/?ordering=slug&page=1&page_size=100";

const claimedBy = (...plexConnections: object[]) => ({ plexAccount: { id: "12345678", plexConnections } });

const sourceWith = (plex: object | null, nodes: object[]) => ({
  plexSource: {
    name: "Plex",
    plex,
    plexConnections: { totalCount: nodes.length, nodes, pageInfo: { hasNextPage: false } },
  },
});

describe.each(SHAPES)("authentik %s", (shape) => {
  let at: HouseGateway;
  beforeEach(async () => {
    at = await startHouse(shape);
    return at.close;
  });

  /** What this user gets where nothing fails. */
  async function dataFor(user: string, query: string, variables?: Record<string, unknown>) {
    const { data, errors } = await at.ask(user, query, variables);
    expect(errors).toEqual([]);
    return data;
  }

  const isOld = shape === "2024.2" || shape === "2024.8";

  describe("who is Plex account N", () => {
    const QUERY = `{ plexAccount(id: "12345678") { id plexConnections { id owner { username } source { slug } } } }`;
    const source = { slug: "plex" };
    const ALICE = { id: "5", owner: { username: "alice" }, source };
    const BOB = { id: "6", owner: { username: "bob" }, source };

    test("an administrator reads everybody who claims it, and nobody whose number only begins so", async () => {
      const users = "/core/users/?ordering=pk&page=1&page_size=20";
      expect(await at.ask("administrator", QUERY)).toEqual({
        data: claimedBy(ALICE, BOB),
        errors: [],
        // The search of old releases does not look at identifiers and finds nothing: only then the release is asked.
        calls: [SEARCH, ...(isOld ? ["/admin/version/", EVERYTHING] : []), users],
      });
      // What is known of the release is kept.
      const again = await at.ask("administrator", QUERY);
      expect(again.data).toEqual(claimedBy(ALICE, BOB));
      expect(again.calls[0]).toBe(isOld ? EVERYTHING : SEARCH);
      expect(again.calls).not.toContain("/admin/version/");
    });

    test("an owner reads their own, and a stranger that they see nobody", async () => {
      expect(await dataFor("alice", QUERY)).toEqual(claimedBy(ALICE));
      expect(await dataFor("stranger", QUERY)).toEqual(claimedBy());
    });

    test("without credentials nothing is asked", async () => {
      expect(await at.ask(null, QUERY)).toEqual({
        data: { plexAccount: { id: "12345678", plexConnections: null } },
        errors: ["plexAccount.plexConnections UNAUTHENTICATED"],
        calls: [],
      });
    });

    test.each(['"odd" / ünï \u2028 ', "…", "%26=&page=2"])("%j is found by no mistake", async (id) => {
      const query = "query ($id: ID!) { plexAccount(id: $id) { plexConnections { id } } }";
      const data = { plexAccount: { plexConnections: [] } };
      expect(await dataFor("administrator", query, { id })).toEqual(data);
    });
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
      expect(await at.ask("administrator", QUERY, { name: "alice" })).toEqual({
        data: ALICE,
        errors: [],
        calls: [
          "/core/users/?username=alice",
          OF_ALICE,
          // The answer to a filter that does not exist is everybody's: seen, and looked through instead.
          ...(shape === "2024.2" ? [`${LIST}ordering=user,pk&page=1&page_size=100`] : []),
        ],
      });
    });

    test("upper and lower case differ; nobody of that name: an empty list, one call", async () => {
      expect(await at.ask("administrator", QUERY, { name: "ALICE" })).toEqual({
        data: { plexConnections: { totalCount: 0, nodes: [] } },
        errors: [],
        calls: ["/core/users/?username=ALICE"],
      });
    });

    test("who may not read users and names themselves", async () => {
      const first = await at.ask("alice", QUERY, { name: "alice" });
      expect(first).toMatchObject({ data: ALICE, errors: [] });
      expect(first.calls.slice(0, 2)).toEqual(["/core/users/?username=alice", "/core/users/me/"]);
      const again = await at.ask("alice", QUERY, { name: "alice" });
      expect([again.data, again.calls[0]]).toEqual([ALICE, "/core/users/me/"]);
    });

    test("who names somebody else is told so, and reads no empty list", async () => {
      expect(await at.ask("stranger", QUERY, { name: "alice" })).toMatchObject({
        data: { plexConnections: null },
        errors: ["plexConnections FORBIDDEN"],
      });
    });
  });

  test.each<[filter: string, ids: number[]]>([
    [`username: "alice", source: "cinema"`, [7]],
    [`user: 42, identifier: "12345678"`, [5]],
    [`source: "plex", identifier: "12345678"`, [5, 6]],
    [`username: "alice", user: 43`, []],
    [`source: " plex"`, []],
    [`username: "alice "`, []],
    [`user: 999999`, []],
  ])("all that is given must hold: %s", async (filter, ids) => {
    const query = `{ plexConnections(filter: { ${filter} }) { totalCount nodes { pk } } }`;
    expect(await dataFor("administrator", query)).toEqual({
      plexConnections: { totalCount: ids.length, nodes: ids.map((pk) => ({ pk })) },
    });
  });

  describe("all links of a source with names, newest first, with a total", () => {
    const QUERY = `{ plexSource(slug: "plex") {
      name plex { allowFriends allowedServers clientId }
      plexConnections(first: 2, sort: ID_DESC) { totalCount nodes { pk owner { name } } pageInfo { hasNextPage } }
    } }`;
    const ALICE = { pk: 5, owner: { name: "Alice" } };

    test("an administrator", async () => {
      const { data, errors, calls } = await at.ask("administrator", QUERY);
      const plex = { allowFriends: true, allowedServers: ["aaaabbbbccccdddd"], clientId: "client-of-plex" };
      expect(data).toEqual(sourceWith(plex, [{ pk: 6, owner: { name: "Bob" } }, ALICE]));
      expect(errors).toEqual([]);
      expect(calls.slice(0, 2)).toEqual([
        SOURCES,
        `${LIST}source__slug=plex&ordering=-pk&page=1&page_size=2`,
      ]);
    });

    test("an owner finds the source through their own connection; what only administrators read is FORBIDDEN", async () => {
      expect(await at.ask("alice", QUERY)).toMatchObject({
        data: sourceWith(null, [ALICE]),
        errors: ["plexSource.plex FORBIDDEN"],
      });
    });

    test("an owner lists the sources of their own connections by slug, a stranger finds none", async () => {
      const sources = "{ plexSources { slug } }";
      expect(await dataFor("alice", sources)).toEqual({
        plexSources: [{ slug: "cinema" }, { slug: "plex" }],
      });
      expect(await dataFor("stranger", sources)).toEqual({ plexSources: [] });
      expect(await dataFor("stranger", QUERY)).toEqual({ plexSource: null });
    });
  });

  test("my links", async () => {
    const query = "{ authentikViewer { pk username email groups { name } plexConnections { identifier } } }";
    const { data, errors, calls } = await at.ask("alice", query);
    expect(data).toEqual({
      authentikViewer: {
        pk: 42,
        username: "alice",
        email: "alice@home.example",
        groups: [{ name: "family" }],
        plexConnections: [{ identifier: "12345678" }, { identifier: "123456789" }],
      },
    });
    expect(errors).toEqual([]);
    expect(calls.slice(0, 2)).toEqual(["/core/users/me/", OF_ALICE]);
    expect(await dataFor("stranger", query)).toMatchObject({
      authentikViewer: { pk: 53, groups: [], plexConnections: [] },
    });
    expect(await at.ask(null, query)).toEqual({
      data: { authentikViewer: null },
      errors: ["authentikViewer UNAUTHENTICATED"],
      calls: [],
    });
  });

  test("the last login is for those who may read users", async () => {
    const query = "{ authentikViewer { username lastLogin } }";
    expect(await at.ask("administrator", query)).toEqual({
      data: { authentikViewer: { username: "administrator", lastLogin: "2025-01-02T03:04:05.678901Z" } },
      errors: [],
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
      expect(await at.ask("administrator", QUERY)).toEqual({
        data: {
          authentikUsers: {
            totalCount: 4,
            nodes: [
              { username: "administrator", plexConnections: [] },
              { username: "alice", plexConnections: [{ id: "5" }, { id: "7" }] },
              { username: "bob", plexConnections: [{ id: "6" }] },
              { username: "stranger", plexConnections: [] },
            ],
          },
        },
        errors: [],
        calls: [
          "/core/users/?ordering=pk&page=1&page_size=50",
          expect.stringMatching(
            /^\/sources\/user_connections\/plex\/\?ordering=user,pk&page=1&page_size=\d+$/,
          ),
        ],
      });
    });

    test("an ordinary user may not", async () => {
      expect(await at.ask("alice", QUERY)).toMatchObject({
        data: { authentikUsers: null },
        errors: ["authentikUsers FORBIDDEN"],
      });
    });

    test.each([
      [`email: "alice@home.example"`, ["alice"]],
      [`search: "ali", isActive: true`, ["alice"]],
      [`isActive: false`, []],
      [`group: "family"`, ["alice", "bob"]],
      [`group: "nobody's"`, []],
      // authentik cuts spaces off what it filters by.
      [`search: " ali "`, ["alice"]],
      [`email: " alice@home.example"`, []],
    ])("filters hold: %s", async (filter, names) => {
      const query = `{ authentikUsers(filter: { ${filter} }) { nodes { username } } }`;
      const nodes = names.map((username) => ({ username }));
      expect(await dataFor("administrator", query)).toEqual({ authentikUsers: { nodes } });
    });
  });

  test("a search for nothing filters nothing, and is refused", async () => {
    const query = String.raw`{ authentikUsers(filter: { search: " \t " }) { totalCount } }`;
    expect(await at.ask("administrator", query)).toEqual({
      data: { authentikUsers: null },
      errors: ["authentikUsers BAD_USER_INPUT"],
      calls: [],
    });
  });

  test("which accounts are claimed twice", async () => {
    const query =
      "{ plexConnections(sort: IDENTIFIER_ASC) { nodes { identifier account { plexConnections { id } } } } }";
    const { data, errors, calls } = await at.ask("administrator", query);
    const twice = { identifier: "12345678", account: { plexConnections: [{ id: "5" }, { id: "6" }] } };
    const once = { identifier: "123456789", account: { plexConnections: [{ id: "7" }] } };
    expect({ data, errors }).toEqual({
      data: { plexConnections: { nodes: [twice, twice, once] } },
      errors: [],
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
    expect(await dataFor("administrator", query, { name: "nobody" })).toEqual({ authentikUser: null });
    expect(await at.ask("alice", query, { name: "bob" })).toMatchObject({
      data: { authentikUser: null },
      errors: ["authentikUser FORBIDDEN"],
    });
  });

  test("the keys of an owner cost nothing", async () => {
    expect(await at.ask("alice", "{ plexConnection(id: 5) { owner { id pk } account { id } } }")).toEqual({
      data: { plexConnection: { owner: { id: "42", pk: 42 }, account: { id: "12345678" } } },
      errors: [],
      calls: ["/sources/user_connections/plex/5/"],
    });
  });
});
