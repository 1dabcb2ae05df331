import { beforeAll, expect, test } from "vitest";
import { type SandboxGateway, startSandboxGateway } from "../support/sandbox-gateway.ts";
import { FAMILY_PK, PLEX_SOURCE_PK as PLEX_PK } from "../support/wire-bodies.ts";

const CINEMA_PK = "5eed0000-0000-4000-8000-00000000000b";

let at: SandboxGateway;
beforeAll(async () => {
  at = await startSandboxGateway("2025.4");
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

test("key fields cost nothing, renamed, inside fragments and beside fields of another type", async () => {
  const query = `query ($r: [_Any!]!) {
    _entities(representations: $r) {
      ...Keys ... { ... on PlexSourceConnection { number: pk } } ... on Source { name }
    }
  }
  fragment Keys on _Entity { ... on PlexSourceConnection { text: id } }`;
  const r = [{ __typename: "PlexSourceConnection", pk: 900_000 }];
  expect(await at.ask("administrator", query, { r })).toEqual({
    data: { _entities: [{ text: "900000", number: 900_000 }] },
    errors: [],
    calls: [],
  });
});

const LIST = "/sources/user_connections/plex/?";
const CINEMA = { slug: "cinema", name: "Cinéma du coin 🎬" };
const UNKNOWN_PK = "5eed0000-0000-4000-8000-0000000000ff";

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
    "a user's connections, which need only the key",
    "AuthentikUser",
    "plexConnections { id }",
    [{ pk: 43 }],
    [{ plexConnections: [{ id: "6" }] }],
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
    "slug name",
    [{ slug: "cinema" }],
    [CINEMA],
    "/sources/all/?slug=cinema&ordering=pk&page=1&page_size=100",
  ],
  [
    "sources by key, whatever its case, one of them unknown",
    "Source",
    "slug name",
    [CINEMA_PK, UNKNOWN_PK, CINEMA_PK.toUpperCase()].map((pk) => ({ pk })),
    [CINEMA, null, CINEMA],
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
  const selection = "... on AuthentikUser { pk } ... on PlexAccount { id } ... on Source { slug }";
  const { data, errors } = await entities("alice", selection, [
    { __typename: "AuthentikUser", username: "alice" },
    { __typename: "AuthentikUser", pk: "05" },
    { __typename: "AuthentikUser", username: "" },
    { __typename: "PlexAccount", id: "" },
    { __typename: "PlexAccount", id: 12345678 },
    { __typename: "AuthentikGroup", pk: "family" },
  ]);
  expect(data).toEqual({ _entities: [{ pk: 42 }, null, null, null, { id: "12345678" }, null] });
  expect(errors.toSorted()).toEqual([1, 2, 3, 5].map((index) => `_entities.${index} BAD_USER_INPUT`));
});
