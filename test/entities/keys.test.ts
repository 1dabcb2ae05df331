import { beforeAll, expect, test } from "vitest";
import { type HouseGateway, startHouse } from "../support/house-gateway.ts";
import { FAMILY_PK, PLEX_SOURCE_PK as PLEX_PK } from "../support/wire-bodies.ts";

const CINEMA_PK = "5eed0000-0000-4000-8000-00000000000b";

let at: HouseGateway;
beforeAll(async () => {
  at = await startHouse("2025.4");
  return at.close;
});

function entities(user: string, selection: string, representations: readonly unknown[]) {
  const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ${selection} } }`;
  return at.ask(user, query, { r: representations });
}

const KEYS: [type: string, key: object, answer: object][] = [
  ["PlexSourceConnection", { pk: 900_000 }, { id: "900000", pk: 900_000 }],
  ["PlexAccount", { id: "12345678" }, { id: "12345678" }],
  ["AuthentikUser", { pk: 42 }, { pk: 42, id: "42" }],
  ["AuthentikUser", { username: "alice" }, { username: "alice" }],
  ["AuthentikGroup", { pk: FAMILY_PK }, { id: FAMILY_PK, pk: FAMILY_PK }],
  ["Source", { pk: PLEX_PK.toUpperCase() }, { id: PLEX_PK, pk: PLEX_PK }],
  ["Source", { slug: "plex" }, { slug: "plex" }],
];

test.each(KEYS)("%s %j: the key alone costs nothing", async (type, key, answer) => {
  const selection = `... on ${type} { ${Object.keys(answer).join(" ")} }`;
  expect(await entities("administrator", selection, [{ __typename: type, ...key }])).toEqual({
    data: { _entities: [answer] },
    errors: [],
    calls: [],
  });
});

test.each([
  ["renamed", "... on PlexSourceConnection { number: pk text: id }", ""],
  [
    "inside fragments",
    "...Keys ... { ... on PlexSourceConnection { pk } }",
    "fragment Keys on _Entity { ... on PlexSourceConnection { id } }",
  ],
  ["beside fields of another type", "... on PlexSourceConnection { pk } ... on Source { name }", ""],
])("key fields cost nothing %s", async (_how, selection, fragment) => {
  const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ${selection} } } ${fragment}`;
  const r = [5, 900_000].map((pk) => ({ __typename: "PlexSourceConnection", pk }));
  expect(await at.ask("administrator", query, { r })).toMatchObject({
    data: { _entities: [{}, {}] },
    errors: [],
    calls: [],
  });
});

const LIST = "/sources/user_connections/plex/?";

test.each<[what: string, type: string, fields: string, keys: object[], answers: unknown[], call: string]>([
  [
    "users by key, one of them unknown",
    "AuthentikUser",
    "username",
    [{ pk: 43 }, { pk: 999 }],
    [{ username: "bob" }, null],
    "/core/users/?ordering=pk&page=1&page_size=20",
  ],
  [
    "a user's connections need only the key",
    "AuthentikUser",
    "pk plexConnections { id }",
    [{ pk: 43 }],
    [{ pk: 43, plexConnections: [{ id: "6" }] }],
    `${LIST}user=43&ordering=pk&page=1&page_size=100`,
  ],
  [
    "a group",
    "AuthentikGroup",
    "name",
    [{ pk: FAMILY_PK.toUpperCase() }],
    [{ name: "family" }],
    `/core/groups/${FAMILY_PK}/?include_users=false`,
  ],
  [
    "a source by slug",
    "Source",
    "name pk",
    [{ slug: "cinema" }],
    [{ name: "Cinéma du coin 🎬", pk: CINEMA_PK }],
    "/sources/all/?slug=cinema&ordering=pk&page=1&page_size=100",
  ],
  [
    "sources by key, whatever its case, one of them unknown",
    "Source",
    "pk slug",
    [CINEMA_PK, PLEX_PK, CINEMA_PK.toUpperCase(), "5eed0000-0000-4000-8000-0000000000ff"].map((pk) => ({
      pk,
    })),
    [
      { pk: CINEMA_PK, slug: "cinema" },
      { pk: PLEX_PK, slug: "plex" },
      { pk: CINEMA_PK, slug: "cinema" },
      null,
    ],
    "/sources/all/?ordering=pk&page=1&page_size=100",
  ],
  [
    "sources by slug, one of them unknown",
    "Source",
    "name",
    [{ slug: "nope" }, { slug: "plex" }],
    [null, { name: "Plex" }],
    "/sources/all/?ordering=pk&page=1&page_size=100",
  ],
])("%s", async (_what, type, fields, keys, answers, call) => {
  const representations = keys.map((key) => ({ __typename: type, ...key }));
  expect(await entities("administrator", `... on ${type} { ${fields} }`, representations)).toEqual({
    data: { _entities: answers },
    errors: [],
    // Who is not found could be the caller, who may read only some users: that is asked once.
    calls: type === "AuthentikUser" && answers.includes(null) ? [call, "/core/users/me/"] : [call],
  });
});

test.each([
  ["bob", { slug: "plex" }, []],
  ["stranger", null, ["_entities.0 FORBIDDEN"]],
])(
  "%s, who may not read sources, finds none but those of their own connections",
  async (user, found, errors) => {
    const plex = [{ __typename: "Source", pk: PLEX_PK }];
    expect(await entities(user, "... on Source { slug }", plex)).toEqual({
      data: { _entities: [found] },
      errors,
      calls: [
        `/sources/all/?pbm_uuid=${PLEX_PK}&ordering=pk&page=1&page_size=100`,
        `${LIST}ordering=pk&page=1&page_size=100`,
      ],
    });
  },
);

test("each has its own error, in its place", async () => {
  const selection =
    "... on AuthentikUser { username email } ... on PlexAccount { id } ... on Source { slug name }";
  const { data, errors } = await entities("alice", selection, [
    { __typename: "AuthentikUser", username: "alice" },
    { __typename: "AuthentikUser", pk: "05" },
    { __typename: "AuthentikUser", username: "bob" },
    { __typename: "PlexAccount", id: "" },
    { __typename: "PlexAccount", id: 12345678 },
    { __typename: "Source", slug: "plex" },
    { __typename: "AuthentikGroup", pk: "family" },
  ]);
  const alice = { username: "alice", email: "alice@home.example" };
  const plex = { slug: "plex", name: "Plex" };
  expect(data).toEqual({ _entities: [alice, null, null, null, { id: "12345678" }, plex, null] });
  expect(errors.toSorted()).toEqual([
    "_entities.1 BAD_USER_INPUT",
    "_entities.2 FORBIDDEN",
    "_entities.3 BAD_USER_INPUT",
    "_entities.6 BAD_USER_INPUT",
  ]);
});
