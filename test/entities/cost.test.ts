import { beforeEach, describe, expect, it } from "vitest";
import { useGateway } from "../support/gateway.ts";

function connections(pks: readonly number[]): { __typename: string; pk: number }[] {
  return pks.map((pk) => ({ __typename: "PlexSourceConnection", pk }));
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}

describe("what representations cost authentik", () => {
  const at = useGateway(beforeEach, { pks: range(500) }, { authentik: { list: false } });

  it.each([
    ["key fields", "__typename ... on PlexSourceConnection { pk id }"],
    ["renamed key fields", "... on PlexSourceConnection { number: pk text: id }"],
    [
      "key fields inside fragments",
      "...Keys ... { ... on PlexSourceConnection { pk } }",
      "fragment Keys on _Entity { ... on PlexSourceConnection { id } }",
    ],
    ["fields of another type", "... on PlexSourceConnection { pk } ... on Source { name }"],
  ])("a selection of %s alone costs nothing", async (_what, selection, fragment = "") => {
    const reply = await at.gateway.post(
      `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${selection} } } ${fragment}`,
      { variables: { representations: connections([5, 6, 900_000]) } },
    );
    expect(reply.errors).toBeUndefined();
    expect(reply.data?.["_entities"]).toHaveLength(3);
    expect(at.authentik.requests).toEqual([]);
  });

  it("64 aliases of a router with 512 representations ask for each of 500 connections once", async () => {
    // In no order of theirs; each alias shares some with another one.
    const batches = range(64).map((alias) =>
      connections(range(8).map((key) => 1 + (((alias * 8 + key) * 7) % 500))),
    );
    const declarations = batches.map((_, index) => `$r${index}: [_Any!]!`).join(", ");
    const fields = batches.map(
      (_, index) =>
        `_e${index}: _entities(representations: $r${index}) { ... on PlexSourceConnection { pk user } }`,
    );
    const { status, result } = await at.gateway.post(`query (${declarations}) { ${fields.join(" ")} }`, {
      variables: Object.fromEntries(batches.map((batch, index) => [`r${index}`, batch])),
    });
    const expected = batches.map((batch, index) => [
      `_e${index}`,
      batch.map(({ pk }) => ({ pk, user: 1000 + pk })),
    ]);
    expect([status, result]).toEqual([200, { data: Object.fromEntries(expected) }]);
    const paths = range(500).map((pk) => `/api/v3/sources/user_connections/plex/${pk}/`);
    expect(at.authentik.paths().sort()).toEqual(paths.sort());
  });
});
