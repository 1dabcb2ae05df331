import { expect, test } from "vitest";
import { ask } from "../support/ask.ts";
import { sandboxGatewayForTest } from "../support/sandbox-gateway.ts";

const account = (key: string) =>
  `_entities(representations: [{ __typename: "PlexAccount"${key} }]) { __typename }`;

test.each([
  [`authentikUsers(filter: { search: "," }) { totalCount }`, "`filter.search` is empty. Leave it out"],
  [
    String.raw`authentikUsers(filter: { search: " \"\" \u001f " }) { totalCount }`,
    "`filter.search` is empty.",
  ],
  [`authentikUsers(filter: { search: "${"a ".repeat(128)}" }) { totalCount }`, "more than 255 characters"],
  [`plexAccount(id: "") { id }`, "`id` is empty."],
  [`plexSource(slug: "") { name }`, "`slug` is empty."],
  [account(", id: 1.5"), "The key `id` of a PlexAccount is its number"],
])("%s: the error says what is wrong, and nothing is asked", async (field, sentence) => {
  const { authentik, gateway } = await sandboxGatewayForTest("2025.4");
  const { errors } = await ask(gateway.url, `{ ${field} }`);
  expect(errors).toMatchObject([
    { message: expect.stringContaining(sentence), extensions: { code: "BAD_USER_INPUT" } },
  ]);
  expect(errors?.[0]?.message.endsWith("empty.")).toBe(/: ""/.test(field));
  expect(authentik.requests).toEqual([]);
});

test("a source's connections are found whatever the length of its slug", async () => {
  const at = await sandboxGatewayForTest("2025.12");
  const connection = at.directory.connections.get(7)!;
  connection.source = { ...connection.source, slug: "x".repeat(300) };
  at.directory.sources = [connection.source];
  const { data } = await at.ask("administrator", "{ plexSources { plexConnections { totalCount } } }");
  expect(data).toEqual({ plexSources: [{ plexConnections: { totalCount: 1 } }] });
});

test("a second key that is null is none", async () => {
  const at = await sandboxGatewayForTest("2025.4");
  const representations = [
    { __typename: "AuthentikUser", pk: null, username: "bob" },
    { __typename: "Source", pk: null, slug: "plex" },
    { __typename: "PlexSourceConnection", pk: 5, id: null },
  ];
  const query = `query ($keys: [_Any!]!) { _entities(representations: $keys) {
    ... on AuthentikUser { pk } ... on Source { name } ... on PlexSourceConnection { identifier }
  } }`;
  expect(await at.ask("administrator", query, { keys: representations })).toMatchObject({
    data: { _entities: [{ pk: 43 }, { name: "Plex" }, { identifier: "12345678" }] },
    errors: [],
  });
});

test("who may not read sources finds those of more connections than one page has", async () => {
  const at = await sandboxGatewayForTest("2025.4", { viewers: 600 });
  for (const connection of at.directory.connections.values()) connection.user = at.directory.users.get(42)!;
  expect(await at.ask("alice", "{ plexSources { slug } }")).toMatchObject({
    data: { plexSources: [{ slug: "cinema" }, { slug: "plex" }] },
    errors: [],
  });
});

test.each([
  [500, [], []],
  [429, null, ["plexAccount.plexConnections RATE_LIMITED"]],
])(
  "a version that cannot be read (%i) counts as one that cannot search, unless the list would fail as well",
  async (status, plexConnections, errors) => {
    const at = await sandboxGatewayForTest("2025.4");
    at.authentik.answer(({ path }, response, fallback) => {
      if (path.includes("/admin/version/")) response.writeHead(status).end();
      else fallback();
    });
    expect(await at.ask("stranger", `{ plexAccount(id: "1") { plexConnections { pk } } }`)).toMatchObject({
      data: { plexAccount: { plexConnections } },
      errors,
    });
  },
);
