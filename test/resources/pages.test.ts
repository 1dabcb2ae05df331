import { describe, expect, test } from "vitest";
import { addConnection } from "../../src/sandbox/directory.ts";
import { type HouseGateway, SHAPES, houseForTest } from "../support/house-gateway.ts";

const LIST = "/sources/user_connections/plex/?";

let at: HouseGateway;

interface Page {
  nodes: { pk: number }[];
  totalCount: number;
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
}

async function page(first: number, after: string | null, sort = "ID_ASC") {
  const { data, errors, calls } = await at.ask(
    "administrator",
    `query ($first: Int!, $after: String, $sort: PlexConnectionSort!) {
      plexConnections(first: $first, after: $after, sort: $sort) {
        nodes { pk } totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
      }
    }`,
    { first, after, sort },
  );
  expect(errors).toEqual([]);
  const { nodes, totalCount, pageInfo } = (data ?? {})["plexConnections"] as Page;
  return { pks: nodes.map(({ pk }) => pk), totalCount, ...pageInfo, calls };
}

/** Reads page after page, ten rows each. Something may happen after the first one. */
async function walk(sort: string, between: () => void = () => {}): Promise<number[]> {
  const first = await page(10, null, sort);
  const pks = first.pks;
  between();
  for (let last = first; last.hasNextPage; pks.push(...last.pks)) last = await page(10, last.endCursor, sort);
  return pks;
}

/** A cursor of anybody's. */
function forged(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** What a cursor says of its list. */
function scopeOf({ endCursor }: { endCursor: string | null }): unknown {
  return (JSON.parse(Buffer.from(endCursor ?? "", "base64url").toString()) as unknown[])[0];
}

const SORTS = ["ID_ASC", "ID_DESC", "USER_ASC", "IDENTIFIER_ASC", "LAST_UPDATED_DESC"];

describe("pages of a list", () => {
  test("each page is one call; the total comes with it", async () => {
    at = await houseForTest("2025.4", { viewers: 47 });
    const one = await page(20, null);
    expect(one).toMatchObject({ totalCount: 50, hasNextPage: true, hasPreviousPage: false });
    expect(one.calls).toEqual([`${LIST}ordering=pk&page=1&page_size=20`]);
    const two = await page(20, one.endCursor);
    expect(two).toMatchObject({ totalCount: 50, hasNextPage: true, hasPreviousPage: true });
    expect(two.calls).toEqual([`${LIST}ordering=pk&page=2&page_size=20`]);
    const three = await page(20, two.endCursor);
    expect(three).toMatchObject({ totalCount: 50, hasNextPage: false });
    expect([...one.pks, ...two.pks, ...three.pks]).toEqual([...at.house.connections.keys()]);
  });

  test("the total alone reads one row", async () => {
    at = await houseForTest("2025.4", { viewers: 47 });
    const query = "{ plexConnections(first: 100) { totalCount } }";
    const { data, calls } = await at.ask("administrator", query);
    expect(data).toEqual({ plexConnections: { totalCount: 50 } });
    expect(calls).toEqual([`${LIST}ordering=pk&page=1&page_size=1`]);
  });

  test("a page of another length goes on where the last one ended", async () => {
    at = await houseForTest("2025.4", { viewers: 47 });
    const one = await page(7, null);
    const two = await page(20, one.endCursor);
    expect(two.calls).toEqual([`${LIST}ordering=pk&page=1&page_size=27`]);
    expect([...one.pks, ...two.pks]).toEqual([...at.house.connections.keys()].slice(0, 27));
  });

  test("past the end: an empty page with the total", async () => {
    at = await houseForTest("2025.4");
    const one = await page(3, null);
    const two = await page(3, one.endCursor);
    expect(two).toMatchObject({ pks: [], totalCount: 3, hasNextPage: false, endCursor: null });
  });

  test.each(SHAPES)("%s: every sort walks through everything, once", async (shape) => {
    at = await houseForTest(shape, { viewers: 30 });
    const all = [...at.house.connections.keys()];
    for (const sort of SORTS) {
      const seen = await walk(sort);
      expect(seen).toHaveLength(all.length);
      expect(new Set(seen)).toEqual(new Set(all));
    }
  });

  test.each(SORTS)(
    "%s: rows that go between two pages, the last one seen among them, take no other along",
    async (sort) => {
      at = await houseForTest("2025.4", { viewers: 30 });
      const before = await walk(sort);
      const gone = [...before.slice(2, 5), ...before.slice(9, 10)];
      const seen = await walk(sort, () => {
        for (const pk of gone) at.house.connections.delete(pk);
      });
      expect(seen).toEqual(before);
    },
  );

  test("rows that come at the head between two pages show none twice", async () => {
    at = await houseForTest("2025.4", { viewers: 30 });
    const before = await walk("ID_DESC");
    const seen = await walk("ID_DESC", () => {
      for (const pk of [2001, 2002, 2003]) addConnection(at.house, [pk, 53, "plex", "999"], { position: pk });
    });
    expect(seen).toEqual(before);
  });

  test("a forged place costs a few calls and ends", async () => {
    at = await houseForTest("2025.4", { viewers: 250 });
    const { calls } = await page(1, forged([scopeOf(await page(1, null)), 0, 2_000, 253, 2_000]));
    expect(calls.length).toBeLessThanOrEqual(5);
  });
});

describe("arguments that would be none", () => {
  test.each([
    ...[0, -1, 101, 2_147_483_647].map((first) => `first: ${first}`),
    `filter: { username: "" }`,
    `filter: { source: "" }`,
    `filter: { identifier: "" }`,
    `filter: { user: 0 }`,
    `filter: { user: -5 }`,
    `filter: { source: "${"x".repeat(1_001)}" }`,
    String.raw`filter: { username: "\u0000" }`,
    ...["", "abc", "5", "x".repeat(5_000), forged(null)].map((after) => `after: "${after}"`),
  ])("%.60s is BAD_USER_INPUT, costs nothing and leaves its siblings alone", async (argument) => {
    at = await houseForTest("2025.4");
    const query = `{ plexConnections(${argument}) { totalCount } plexSources { slug } }`;
    expect(await at.ask("administrator", query)).toEqual({
      data: { plexConnections: null, plexSources: [{ slug: "cinema" }, { slug: "plex" }] },
      errors: ["plexConnections BAD_USER_INPUT"],
      calls: ["/sources/plex/?ordering=slug&page=1&page_size=100"],
    });
  });

  test("half a letter is no text at all", async () => {
    at = await houseForTest("2025.4");
    const query = String.raw`{ plexConnections(filter: { username: "\ud800" }) { totalCount } }`;
    expect(await at.ask("administrator", query)).toMatchObject({
      errors: [" GRAPHQL_PARSE_FAILED"],
      calls: [],
    });
  });

  test("and so is what is no cursor of this list", async () => {
    at = await houseForTest("2025.4", { viewers: 30 });
    const ten = await page(10, null);
    const scope = scopeOf(ten);
    const query =
      "query ($after: String, $sort: PlexConnectionSort) { plexConnections(after: $after, sort: $sort) { nodes { pk } } }";
    for (const [after, sort] of [
      [forged([scope]), "ID_ASC"],
      [forged([scope, -1, 5, 5]), "ID_ASC"],
      [forged([scope, 1e300, 5, 5]), "ID_ASC"],
      [forged([scope, 1, 5, 5, { toString: 1 }]), "ID_ASC"],
      [ten.endCursor, "ID_DESC"],
    ]) {
      expect({ after, ...(await at.ask("administrator", query, { after, sort })) }).toEqual({
        after,
        data: { plexConnections: null },
        errors: ["plexConnections BAD_USER_INPUT"],
        calls: [],
      });
    }
  });
});

describe("what can only be found by looking through the list", () => {
  test.each(["2024.2", "2024.8"] as const)(
    "%s: beyond the limit is LIMIT_EXCEEDED after one page",
    async (shape) => {
      at = await houseForTest(shape, { viewers: 150, maxScannedRows: 100 });
      const query = `{ plexConnections(filter: { identifier: "12345678" }) { totalCount } }`;
      const { data, errors } = await at.ask("administrator", query);
      expect(data).toEqual({ plexConnections: null });
      expect(errors).toEqual(["plexConnections LIMIT_EXCEEDED"]);
      const again = await at.ask("administrator", query);
      expect(again.calls).toEqual([`${LIST}ordering=pk&page=1&page_size=100`]);
      const narrowed = await at.ask(
        "administrator",
        `{ plexConnections(filter: { identifier: "12345678", source: "plex" }) { totalCount } }`,
      );
      expect(narrowed).toMatchObject({
        data: { plexConnections: { totalCount: 2 } },
        calls: [`${LIST}source__slug=plex&ordering=pk&page=1&page_size=100`],
      });
    },
  );

  test.each([
    ["2024.8", "12345678"],
    // authentik finds parts.
    ["2025.4", "7"],
  ] as const)("%s: it says what can be done, whether authentik can search or not", async (shape, id) => {
    at = await houseForTest(shape, { viewers: 150, maxScannedRows: 100 });
    const { errors } = await at.gateway.post(`{ plexAccount(id: "${id}") { plexConnections { pk } } }`);
    expect(errors).toMatchObject([
      {
        message:
          "What you ask for is among more connections of authentik's than one lookup may look through. " +
          "Narrow it down, such as by a `source` in the filter of `plexConnections`.",
        path: ["plexAccount", "plexConnections"],
        extensions: { code: "LIMIT_EXCEEDED", limit: "scannedRows", max: 100, actual: 153 },
      },
    ]);
  });
});

describe("a list with a limit below the default of `first`", () => {
  test.each([
    ["no `first`", "{ plexConnections"],
    ["a `first` whose variable is not given", "query ($first: Int) { plexConnections(first: $first)"],
  ])("has as many rows as there may be for %s", async (_what, list) => {
    at = await houseForTest("2025.4", { viewers: 47, maxPageSize: 10 });
    const { data, errors, calls } = await at.ask("administrator", `${list} { nodes { pk } } }`);
    expect(errors).toEqual([]);
    expect(data).toHaveProperty("plexConnections.nodes.length", 10);
    expect(calls).toEqual([`${LIST}ordering=pk&page=1&page_size=10`]);
  });

  test.each([
    ["{ plexConnections(first: 20)", {}],
    ["query ($first: Int) { plexConnections(first: $first)", { first: 20 }],
    ["query ($first: Int = 20) { plexConnections(first: $first)", {}],
  ])("is refused for a number that somebody wrote: %s", async (list, variables) => {
    at = await houseForTest("2025.4", { maxPageSize: 10 });
    const { errors, calls } = await at.ask("administrator", `${list} { totalCount } }`, variables);
    expect(errors).toEqual(["plexConnections BAD_USER_INPUT"]);
    expect(calls).toEqual([]);
  });
});
