import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HouseGateway, startHouse } from "../support/house-gateway.ts";
import { FAMILY_PK, PLEX_SOURCE_PK as PLEX_PK } from "../support/wire-bodies.ts";

const CINEMA_PK = "5eed0000-0000-4000-8000-00000000000b";

let at: HouseGateway;
beforeAll(async () => {
  at = await startHouse("2025.4");
});
afterAll(() => at.close());

function entities(user: string, selection: string, representations: readonly unknown[]) {
  const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ${selection} } }`;
  return at.ask(user, query, { r: representations });
}

const KEYS: [key: string, representation: object, selection: string, answer: object][] = [
  [
    "PlexAccount(id)",
    { __typename: "PlexAccount", id: "12345678" },
    "... on PlexAccount { id }",
    { id: "12345678" },
  ],
  [
    "AuthentikUser(pk)",
    { __typename: "AuthentikUser", pk: 42 },
    "... on AuthentikUser { pk id }",
    { pk: 42, id: "42" },
  ],
  [
    "AuthentikUser(username)",
    { __typename: "AuthentikUser", username: "alice" },
    "... on AuthentikUser { username }",
    { username: "alice" },
  ],
  [
    "AuthentikGroup(pk)",
    { __typename: "AuthentikGroup", pk: FAMILY_PK },
    "... on AuthentikGroup { id pk }",
    { id: FAMILY_PK, pk: FAMILY_PK },
  ],
  [
    "Source(pk)",
    { __typename: "Source", pk: PLEX_PK.toUpperCase() },
    "... on Source { id pk }",
    { id: PLEX_PK, pk: PLEX_PK },
  ],
  ["Source(slug)", { __typename: "Source", slug: "plex" }, "... on Source { slug }", { slug: "plex" }],
];

describe.each(KEYS)("%s", (_key, representation, selection, answer) => {
  test("the key alone costs nothing", async () => {
    expect(await entities("administrator", selection, [representation])).toEqual({
      data: { _entities: [answer] },
      errors: [],
      calls: [],
    });
  });
});

test.each([
  [
    "accounts: one search each, or the list",
    "... on PlexAccount { plexConnections { id } }",
    [{ __typename: "PlexAccount", id: "12345678" }],
    [{ plexConnections: [{ id: "5" }, { id: "6" }] }],
    ["/sources/user_connections/plex/?search=12345678&ordering=pk&page=1&page_size=100"],
  ],
  [
    "users by key, one of them unknown",
    "... on AuthentikUser { username }",
    [
      { __typename: "AuthentikUser", pk: 43 },
      { __typename: "AuthentikUser", pk: 999 },
    ],
    [{ username: "bob" }, null],
    ["/core/users/?ordering=pk&page=1&page_size=20"],
  ],
  [
    "a user's connections need only the key",
    "... on AuthentikUser { pk plexConnections { id } }",
    [{ __typename: "AuthentikUser", pk: 43 }],
    [{ pk: 43, plexConnections: [{ id: "6" }] }],
    ["/sources/user_connections/plex/?user=43&ordering=pk&page=1&page_size=100"],
  ],
  [
    "a user by name",
    "... on AuthentikUser { pk name }",
    [{ __typename: "AuthentikUser", username: "bob" }],
    [{ pk: 43, name: "Bob" }],
    ["/core/users/?username=bob"],
  ],
  [
    "a group",
    "... on AuthentikGroup { name }",
    [{ __typename: "AuthentikGroup", pk: FAMILY_PK.toUpperCase() }],
    [{ name: "family" }],
    [`/core/groups/${FAMILY_PK}/?include_users=false`],
  ],
  [
    "a source by slug",
    "... on Source { name pk }",
    [{ __typename: "Source", slug: "cinema" }],
    [{ name: "Cinéma du coin 🎬", pk: CINEMA_PK }],
    ["/sources/all/?slug=cinema&ordering=pk&page=1&page_size=100"],
  ],
  [
    "sources by slug, one of them unknown",
    "... on Source { name }",
    [
      { __typename: "Source", slug: "nope" },
      { __typename: "Source", slug: "plex" },
    ],
    [null, { name: "Plex" }],
    ["/sources/all/?ordering=pk&page=1&page_size=100"],
  ],
])("%s", async (_what, selection, representations, answers, calls) => {
  expect(await entities("administrator", selection, representations)).toEqual({
    data: { _entities: answers },
    errors: [],
    calls,
  });
});

test("each alone with its error, in order", async () => {
  const selection =
    "... on AuthentikUser { username email } ... on PlexAccount { id } ... on Source { slug name }";
  const { data, errors } = await entities("alice", selection, [
    { __typename: "AuthentikUser", pk: "05" },
    { __typename: "AuthentikUser", username: "alice" },
    { __typename: "AuthentikUser", username: "bob" },
    { __typename: "PlexAccount", id: "" },
    { __typename: "PlexAccount", id: 12345678 },
    { __typename: "Source" },
    { __typename: "Source", slug: "plex" },
    { __typename: "AuthentikGroup", pk: "family" },
  ]);
  expect(data).toEqual({
    _entities: [
      null,
      { username: "alice", email: "alice@home.example" },
      null,
      null,
      { id: "12345678" },
      null,
      { slug: "plex", name: "Plex" },
      null,
    ],
  });
  expect(errors.toSorted()).toEqual([
    "_entities.0 BAD_USER_INPUT",
    "_entities.2 FORBIDDEN",
    "_entities.3 BAD_USER_INPUT",
    "_entities.5 BAD_USER_INPUT",
    "_entities.7 BAD_USER_INPUT",
  ]);
});
