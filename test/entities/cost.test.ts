import { beforeEach, describe, expect, it } from "vitest";
import { createGate } from "../support/fake-authentik.ts";
import { useGateway } from "../support/gateway.ts";

const QUERY = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on PlexSourceConnection { pk user } }
}`;

function connections(pks: readonly number[]): { __typename: string; pk: number }[] {
  return pks.map((pk) => ({ __typename: "PlexSourceConnection", pk }));
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}

function retrieves(pks: readonly number[]): string[] {
  return pks.map((pk) => `/api/v3/sources/user_connections/plex/${pk}/`).sort();
}

describe("what representations cost authentik", () => {
  const at = useGateway(beforeEach, { pks: range(1_000) }, { authentik: { list: false } });

  it.each([
    ["key fields", "__typename ... on PlexSourceConnection { pk id }"],
    ["renamed key fields", "... on PlexSourceConnection { number: pk text: id }"],
    ["key fields inside fragments", "...Keys ... { ... on PlexSourceConnection { pk } }"],
    ["fields of another type", "... on PlexSourceConnection { pk } ... on Source { name }"],
  ])("a selection of %s alone costs nothing", async (_what, selection) => {
    const fragment = selection.includes("...Keys")
      ? "fragment Keys on _Entity { ... on PlexSourceConnection { id } }"
      : "";
    const reply = await at.gateway.post(
      `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${selection} } } ${fragment}`,
      { variables: { representations: connections([5, 6, 900_000]) } },
    );
    expect(reply.errors).toBeUndefined();
    expect(reply.data?.["_entities"]).toHaveLength(3);
    expect(at.authentik.requests).toEqual([]);
  });

  it("64 aliases of one request share their loads", async () => {
    // Each alias asks for five connections; all of them together for twenty.
    const batches = range(64).map((alias) => connections(range(5).map((key) => 1 + ((alias + key) % 20))));
    const declarations = batches.map((_, index) => `$r${index}: [_Any!]!`).join(", ");
    const fields = batches.map(
      (_, index) =>
        `_e${index}: _entities(representations: $r${index}) { ... on PlexSourceConnection { pk user } }`,
    );
    const reply = await at.gateway.post(`query (${declarations}) { ${fields.join(" ")} }`, {
      variables: Object.fromEntries(batches.map((batch, index) => [`r${index}`, batch])),
    });
    expect(reply.errors).toBeUndefined();
    expect(reply.data).toEqual(
      Object.fromEntries(
        batches.map((batch, index) => [`_e${index}`, batch.map(({ pk }) => ({ pk, user: 1000 + pk }))]),
      ),
    );
    expect(at.authentik.paths().sort()).toEqual(retrieves(range(20)));
  });

  it("500 from a router pass, each asked for once, answered in their order", async () => {
    const pks = range(500).map((index) => 1 + ((index * 7) % 500));
    const reply = await at.gateway.post(QUERY, { variables: { representations: connections(pks) } });
    expect(reply.status).toBe(200);
    expect(reply.errors).toBeUndefined();
    expect(reply.data).toEqual({ _entities: pks.map((pk) => ({ pk, user: 1000 + pk })) });
    expect(at.authentik.paths().sort()).toEqual(retrieves(range(500)));
  });

  it("order is kept when authentik answers the last call first", async () => {
    const asked = createGate();
    const waiting: (() => void)[] = [];
    at.authentik.answer((_request, _response, fallback) => {
      waiting.unshift(fallback);
      if (waiting.length === 5) asked.open();
    });
    const reply = at.gateway.post(QUERY, { variables: { representations: connections(range(5)) } });
    await asked.opened;
    for (const answer of waiting) {
      answer();
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect((await reply).data).toEqual({ _entities: range(5).map((pk) => ({ pk, user: 1000 + pk })) });
  });
});
