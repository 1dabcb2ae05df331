import { beforeEach, describe, expect, test } from "vitest";
import { type SandboxGateway, SHAPES, startSandboxGateway } from "../support/sandbox-gateway.ts";

// The questions that people have, each in one operation: what is answered, to whom, and what it costs authentik.

const LIST = "/sources/user_connections/plex/?";
const EVERYTHING = `${LIST}ordering=pk&page=1&page_size=100`;
const BY_USER = `${LIST}ordering=user,pk&page=1&page_size=100`;
const OF_ALICE = `${LIST}user=42&ordering=pk&page=1&page_size=100`;
const SOME_CALLS: unknown = expect.any(Array);

/** What nothing fails of. */
const found = (data: object, calls = SOME_CALLS) => ({ data, errors: [], calls });

/** What is null altogether, and why. */
const refused = (field: string, code: string, calls = SOME_CALLS) => ({
  data: { [field]: null },
  errors: [`${field} ${code}`],
  calls,
});

const claimedBy = (...plexConnections: object[]) => ({ plexAccount: { plexConnections } });

const sourceWith = (plex: object | null, nodes: object[]) => ({
  plexSource: {
    name: "Plex",
    plex,
    plexConnections: { totalCount: nodes.length, nodes, pageInfo: { hasNextPage: false } },
  },
});

describe.each(SHAPES)("authentik %s", (shape) => {
  let at: SandboxGateway;
  beforeEach(async () => {
    at = await startSandboxGateway(shape);
    return at.close;
  });

  describe("who is Plex account N", () => {
    const QUERY = `query ($id: ID! = "12345678") {
      plexAccount(id: $id) { plexConnections { id owner { username } source { slug } } }
    }`;
    const source = { slug: "plex" };
    const ALICE = { id: "5", owner: { username: "alice" }, source };
    const BOB = { id: "6", owner: { username: "bob" }, source };

    test("an administrator reads everybody who claims it, and nobody whose number only begins so", async () => {
      const search = `${LIST}search=12345678&ordering=pk&page=1&page_size=100`;
      const users = "/core/users/?ordering=pk&page=1&page_size=20";
      const isOld = shape === "2024.2" || shape === "2024.8";
      // The search of old releases does not look at identifiers and finds nothing: only then the release is asked.
      const calls = isOld ? [search, "/admin/version/", EVERYTHING, users] : [search, users];
      expect(await at.ask("administrator", QUERY)).toEqual(found(claimedBy(ALICE, BOB), calls));
      // What is known of the release is kept.
      const again = await at.ask("administrator", QUERY);
      expect(again).toEqual(found(claimedBy(ALICE, BOB)));
      expect(again.calls[0]).toBe(isOld ? EVERYTHING : search);
      expect(again.calls).not.toContain("/admin/version/");
    });

    test("an owner reads their own, and a stranger that they see nobody", async () => {
      expect(await at.ask("alice", QUERY)).toEqual(found(claimedBy(ALICE)));
      expect(await at.ask("stranger", QUERY)).toEqual(found(claimedBy()));
    });

    test.each(['"odd" / ünï \u2028 ', "…", "%26=&page=2"])("%j is found by no mistake", async (id) => {
      expect(await at.ask("administrator", QUERY, { id })).toEqual(found(claimedBy()));
    });
  });

  describe("is user X linked, where and to what", () => {
    const QUERY = `query ($name: String!) {
      plexConnections(filter: { username: $name }) { totalCount nodes { identifier source { slug } } }
    }`;
    const nodes = [
      { identifier: "12345678", source: { slug: "plex" } },
      { identifier: "123456789", source: { slug: "cinema" } },
    ];
    const ALICE = { plexConnections: { totalCount: 2, nodes } };
    const NAMED_ALICE = "/core/users/?username=alice";

    test("an administrator: two calls; in names case matters, and nobody has an empty list", async () => {
      // The answer to a filter that does not exist is everybody's: seen, and looked through instead.
      const calls = [NAMED_ALICE, OF_ALICE, ...(shape === "2024.2" ? [BY_USER] : [])];
      expect(await at.ask("administrator", QUERY, { name: "alice" })).toEqual(found(ALICE, calls));
      expect(await at.ask("administrator", QUERY, { name: "ALICE" })).toEqual(
        found({ plexConnections: { totalCount: 0, nodes: [] } }, ["/core/users/?username=ALICE"]),
      );
    });

    test("who may not read users names themselves; of somebody else they read no empty list", async () => {
      const first = await at.ask("alice", QUERY, { name: "alice" });
      expect(first).toEqual(found(ALICE));
      expect(first.calls.slice(0, 2)).toEqual([NAMED_ALICE, "/core/users/me/"]);
      const again = await at.ask("alice", QUERY, { name: "alice" });
      expect([again.data, again.calls[0]]).toEqual([ALICE, "/core/users/me/"]);
      expect(await at.ask("stranger", QUERY, { name: "alice" })).toEqual(
        refused("plexConnections", "FORBIDDEN"),
      );
    });
  });

  test.each<[filter: string, ids: number[]]>([
    [`username: "alice", source: "cinema"`, [7]],
    [`identifier: "12345678"`, [5, 6]],
    [`user: 42, identifier: "12345678"`, [5]],
    [`username: "alice", user: 43`, []],
    [`username: "alice "`, []],
    [`user: 999999`, []],
  ])("all that is given must hold: %s", async (filter, ids) => {
    const query = `{ plexConnections(filter: { ${filter} }) { totalCount nodes { pk } } }`;
    const nodes = ids.map((pk) => ({ pk }));
    const plexConnections = { totalCount: ids.length, nodes };
    expect(await at.ask("administrator", query)).toEqual(found({ plexConnections }));
  });

  describe("all links of a source with names, newest first, with a total", () => {
    const QUERY = `{ plexSource(slug: "plex") {
      name plex { allowFriends allowedServers clientId }
      plexConnections(first: 2, sort: ID_DESC) { totalCount nodes { pk owner { name } } pageInfo { hasNextPage } }
    } }`;
    const ALICE = { pk: 5, owner: { name: "Alice" } };
    const BOB = { pk: 6, owner: { name: "Bob" } };

    test("an administrator", async () => {
      const answer = await at.ask("administrator", QUERY);
      const plex = { allowFriends: true, allowedServers: ["aaaabbbbccccdddd"], clientId: "client-of-plex" };
      expect(answer).toEqual(found(sourceWith(plex, [BOB, ALICE])));
      expect(answer.calls.slice(0, 2)).toEqual([
        "/sources/plex/?ordering=slug&page=1&page_size=100",
        `${LIST}source__slug=plex&ordering=-pk&page=1&page_size=2`,
      ]);
    });

    test("an owner finds sources through their own connections; what only administrators read is FORBIDDEN", async () => {
      const { data, errors } = await at.ask("alice", QUERY);
      expect([data, errors]).toEqual([sourceWith(null, [ALICE]), ["plexSource.plex FORBIDDEN"]]);
      const plexSources = [{ slug: "cinema" }, { slug: "plex" }];
      expect(await at.ask("alice", "{ plexSources { slug } }")).toEqual(found({ plexSources }));
    });

    test("a stranger finds none", async () => {
      expect(await at.ask("stranger", `${QUERY.slice(0, -1)} plexSources { slug } }`)).toEqual(
        found({ plexSource: null, plexSources: [] }),
      );
    });
  });

  describe("who am I", () => {
    test("with my links; nothing is asked for who has no credentials", async () => {
      const query =
        "{ authentikViewer { pk username email groups { name } plexConnections { identifier } } }";
      const alice = await at.ask("alice", query);
      const authentikViewer = {
        pk: 42,
        username: "alice",
        email: "alice@home.example",
        groups: [{ name: "family" }],
        plexConnections: [{ identifier: "12345678" }, { identifier: "123456789" }],
      };
      expect(alice).toEqual(found({ authentikViewer }));
      expect(alice.calls.slice(0, 2)).toEqual(["/core/users/me/", OF_ALICE]);
      expect(await at.ask(null, query)).toEqual(refused("authentikViewer", "UNAUTHENTICATED", []));
    });

    test("with my last login, if I may read users", async () => {
      const query = "{ authentikViewer { lastLogin } }";
      expect(await at.ask("administrator", query)).toEqual(
        found({ authentikViewer: { lastLogin: "2025-01-02T03:04:05.678901Z" } }, [
          "/core/users/me/",
          "/core/users/41/",
        ]),
      );
      const { data, errors } = await at.ask("alice", query);
      expect(data).toEqual({ authentikViewer: { lastLogin: null } });
      expect(errors).toEqual(["authentikViewer.lastLogin FORBIDDEN"]);
    });
  });

  describe("who is not linked", () => {
    const QUERY = "{ authentikUsers(first: 50) { totalCount nodes { username plexConnections { pk } } } }";

    test("an administrator: one list of users, one of connections; an ordinary user may not", async () => {
      const pks = { administrator: [], alice: [5, 7], bob: [6], stranger: [] };
      const nodes = Object.entries(pks).map(([username, of]) => ({
        username,
        plexConnections: of.map((pk) => ({ pk })),
      }));
      expect(await at.ask("administrator", QUERY)).toEqual(
        found({ authentikUsers: { totalCount: 4, nodes } }, [
          "/core/users/?ordering=pk&page=1&page_size=50",
          expect.stringContaining(`${LIST}ordering=user,pk&page=1&`),
        ]),
      );
      expect(await at.ask("alice", QUERY)).toEqual(refused("authentikUsers", "FORBIDDEN"));
    });

    test.each([
      [`email: "alice@home.example"`, ["alice"]],
      [`search: "ali", isActive: true`, ["alice"]],
      [`group: "family"`, ["alice", "bob"]],
      [`group: "nobody's"`, []],
      // authentik cuts spaces off what it filters by.
      [`search: " ali "`, ["alice"]],
      [`email: " alice@home.example"`, []],
    ])("filters hold: %s", async (filter, names) => {
      const query = `{ authentikUsers(filter: { ${filter} }) { nodes { username } } }`;
      const nodes = names.map((username) => ({ username }));
      expect(await at.ask("administrator", query)).toEqual(found({ authentikUsers: { nodes } }));
    });

    test("a search for nothing would filter nothing, and is refused", async () => {
      const query = String.raw`{ authentikUsers(filter: { search: " \t " }) { totalCount } }`;
      expect(await at.ask("administrator", query)).toEqual(refused("authentikUsers", "BAD_USER_INPUT", []));
    });
  });

  test("which accounts are claimed twice", async () => {
    const query =
      "{ plexConnections(sort: IDENTIFIER_ASC) { nodes { identifier account { plexConnections { pk } } } } }";
    const twice = { identifier: "12345678", account: { plexConnections: [{ pk: 5 }, { pk: 6 }] } };
    const once = { identifier: "123456789", account: { plexConnections: [{ pk: 7 }] } };
    const answer = await at.ask("administrator", query);
    expect(answer).toEqual(found({ plexConnections: { nodes: [twice, twice, once] } }));
    expect(answer.calls.length).toBeLessThanOrEqual(4);
  });

  test("a user by name", async () => {
    const query = `query ($name: String!) { authentikUser(username: $name) { id name isActive email lastLogin } }`;
    const authentikUser = { id: "43", name: "Bob", isActive: true, email: null, lastLogin: null };
    expect(await at.ask("administrator", query, { name: "bob" })).toEqual(
      found({ authentikUser }, ["/core/users/?username=bob"]),
    );
    expect(await at.ask("alice", query, { name: "bob" })).toEqual(refused("authentikUser", "FORBIDDEN"));
  });

  test("the keys of an owner cost nothing", async () => {
    const plexConnection = { owner: { id: "42", pk: 42 }, account: { id: "12345678" } };
    expect(await at.ask("alice", "{ plexConnection(id: 5) { owner { id pk } account { id } } }")).toEqual(
      found({ plexConnection }, ["/sources/user_connections/plex/5/"]),
    );
  });
});
