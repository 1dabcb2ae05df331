import { describe, expect, test } from "vitest";
import { addConnection } from "../../src/sandbox/directory.ts";
import { type SandboxGateway, SHAPES, sandboxGatewayForTest } from "../support/sandbox-gateway.ts";

const LIST = "/sources/user_connections/plex/?";
const SORTS = ["ID_ASC", "ID_DESC", "USER_ASC", "IDENTIFIER_ASC", "LAST_UPDATED_DESC"];

const QUERY = `query ($first: Int, $after: String, $sort: PlexConnectionSort) {
  plexConnections(first: $first, after: $after, sort: $sort) {
    totalCount edges { cursor node { pk } } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;

interface Page {
  totalCount: number;
  edges: { cursor: string; node: { pk: number } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
}

let at: SandboxGateway;

/** A page that nothing is wrong with. */
async function page(first: number, after: string | null = null, sort = "ID_ASC") {
  const { data, errors, calls } = await at.ask("administrator", QUERY, { first, after, sort });
  expect(errors).toEqual([]);
  const { edges, totalCount, pageInfo } = (data ?? {})["plexConnections"] as Page;
  const cursors = edges.map(({ cursor }) => cursor);
  /** Which page, and of how many rows. */
  const pages = calls.map((path) => path.replace(/.*&page=(\d+)&page_size=(\d+)$/, "$1 of $2"));
  return { pks: edges.map(({ node }) => node.pk), cursors, totalCount, ...pageInfo, calls, pages };
}

/** Reads page after page, ten rows each. Something may happen after the first one. */
async function walk(sort: string, between: () => void = () => {}): Promise<number[]> {
  const first = await page(10, null, sort);
  const pks = first.pks;
  between();
  for (let last = first; last.hasNextPage; pks.push(...last.pks)) last = await page(10, last.endCursor, sort);
  return pks;
}

/** Keys of all rows, in order. */
const keys = () => [...at.directory.connections.keys()].toSorted((a, b) => a - b);

function insert(rows: number): void {
  const [last = 0] = keys().slice(-1);
  for (let pk = last + 1; pk <= last + rows; pk += 1)
    addConnection(at.directory, [pk, 53, "plex", "999"], { position: pk });
}

function remove(pks: readonly number[]): void {
  for (const pk of pks) at.directory.connections.delete(pk);
}

/** A cursor of anybody's. */
function forged(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

describe("pages of a list", () => {
  test("each is one call, and brings the total; past the end there is an empty one", async () => {
    at = await sandboxGatewayForTest("2025.4", { viewers: 37 });
    let after: string | null = null;
    const pks: number[] = [];
    for (const number of [1, 2]) {
      const read = await page(20, after);
      const [hasPreviousPage, hasNextPage] = [number === 2, number === 1];
      expect(read).toMatchObject({ totalCount: 40, hasNextPage, hasPreviousPage });
      expect(read.calls).toEqual([`${LIST}ordering=pk&page=${number}&page_size=20`]);
      pks.push(...read.pks);
      after = read.endCursor;
    }
    expect(pks).toEqual(keys());
    expect(await page(20, after)).toMatchObject({ pks: [], totalCount: 40, hasNextPage: false });
  });

  test("the total alone reads one row", async () => {
    at = await sandboxGatewayForTest("2025.4");
    expect(await at.ask("administrator", "{ plexConnections(first: 100) { totalCount } }")).toEqual({
      data: { plexConnections: { totalCount: 3 } },
      errors: [],
      calls: [`${LIST}ordering=pk&page=1&page_size=1`],
    });
  });

  test("one of another length goes on where the last one ended", async () => {
    at = await sandboxGatewayForTest("2025.4", { viewers: 47 });
    const one = await page(7);
    const two = await page(20, one.endCursor);
    expect(two.calls).toEqual([`${LIST}ordering=pk&page=1&page_size=27`]);
    expect([...one.pks, ...two.pks]).toEqual(keys().slice(0, 27));
  });

  test.each(SHAPES)("in authentik %s every sort walks through everything, once", async (shape) => {
    at = await sandboxGatewayForTest(shape, { viewers: 30 });
    for (const sort of SORTS) expect((await walk(sort)).toSorted((a, b) => a - b)).toEqual(keys());
  });
});

describe("rows that come and go between two pages, or while one is put together", () => {
  test.each(SORTS)(
    "sorted %s: some go, the last one seen among them, and take no other along",
    async (sort) => {
      at = await sandboxGatewayForTest("2025.4", { viewers: 30 });
      const before = await walk(sort);
      const seen = await walk(sort, () => remove([...before.slice(2, 5), ...before.slice(9, 10)]));
      expect(seen).toEqual(before);
    },
  );

  test.each([
    [20, 100, ["2 of 20", "1 of 100", "2 of 100"]],
    [100, 300, ["2 of 100", "3 of 100", "4 of 100", "5 of 100"]],
  ])(
    "pages of %i, %i come before the next one: it begins where the last ended",
    async (first, rows, read) => {
      at = await sandboxGatewayForTest("2025.4", { viewers: 497 });
      const before = keys().toReversed();
      const one = await page(first, null, "ID_DESC");
      insert(rows);
      const two = await page(first, one.endCursor, "ID_DESC");
      expect(two).toMatchObject({ totalCount: 500 + rows, hasNextPage: true });
      expect(two.pages).toEqual(read);
      expect([...one.pks, ...two.pks]).toEqual(before.slice(0, 2 * first));
    },
  );

  test.each([
    [150, 50, ["3 of 100", "1 of 100", "3 of 50"]],
    [300, 50, ["3 of 100", "1 of 100"]],
    [500, 0, ["3 of 100", "1 of 1"]],
  ])("%i go before the next page, %i come after it: none between is lost", async (gone, come, read) => {
    at = await sandboxGatewayForTest("2025.4", { viewers: 497 });
    const before = keys();
    const two = await page(100, (await page(100)).endCursor);
    remove(before.slice(0, gone));
    insert(come);
    const three = await page(100, two.endCursor);
    expect(three.pks).toEqual(before.slice(Math.max(200, gone)).slice(0, 100));
    expect(three.pages).toEqual(read);
  });

  test("one goes between two reads of a page: none is lost, after none of its cursors", async () => {
    at = await sandboxGatewayForTest("2025.4", { viewers: 497 });
    const before = keys();
    const one = await page(60);
    at.authentik.answer((request, _response, fallback) => {
      fallback();
      if (request.path.includes("page=1&page_size=100")) remove(before.slice(0, 1));
    });
    const two = await page(100, one.endCursor);
    expect([...one.pks, ...two.pks]).toEqual(before.slice(0, 160));
    for (const index of [0, 39, 40, 99])
      expect((await page(3, two.cursors[index])).pks).toEqual(before.slice(61 + index, 64 + index));
  });
});

describe("arguments that would be none", () => {
  test.each([
    ...[0, 101].map((first) => `first: ${first}`),
    ...["user: 0", `username: ""`, `source: "${"x".repeat(1_001)}"`, String.raw`username: "\u0000"`].map(
      (filter) => `filter: { ${filter} }`,
    ),
    ...["", "abc", "5", "x".repeat(5_000), forged(null)].map((after) => `after: "${after}"`),
  ])("%.60s is BAD_USER_INPUT, costs nothing and leaves its siblings alone", async (argument) => {
    at = await sandboxGatewayForTest("2025.4");
    const query = `{ plexConnections(${argument}) { totalCount } plexSources { slug } }`;
    expect(await at.ask("administrator", query)).toEqual({
      data: { plexConnections: null, plexSources: [{ slug: "cinema" }, { slug: "plex" }] },
      errors: ["plexConnections BAD_USER_INPUT"],
      calls: ["/sources/plex/?ordering=slug&page=1&page_size=100"],
    });
  });

  test("and so is what is no cursor of this list", async () => {
    at = await sandboxGatewayForTest("2025.4", { viewers: 30 });
    const ten = await page(10);
    const [scope] = JSON.parse(Buffer.from(ten.endCursor ?? "", "base64url").toString()) as unknown[];
    for (const [after, sort] of [
      [forged([scope]), "ID_ASC"],
      [forged([scope, -1, 5, 5]), "ID_ASC"],
      [ten.endCursor, "ID_DESC"],
    ]) {
      expect({ after, ...(await at.ask("administrator", QUERY, { first: 10, after, sort })) }).toEqual({
        after,
        data: { plexConnections: null },
        errors: ["plexConnections BAD_USER_INPUT"],
        calls: [],
      });
    }
  });
});

describe("a limit below the default of `first`", () => {
  test("is how many there are where nobody wrote a number, and refuses a larger one", async () => {
    at = await sandboxGatewayForTest("2025.4", { viewers: 47, maxPageSize: 10 });
    const query = "query ($first: Int) { plexConnections(first: $first) { nodes { pk } } }";
    const { data, calls } = await at.ask("administrator", query);
    expect(data).toHaveProperty("plexConnections.nodes.length", 10);
    expect(calls).toEqual([`${LIST}ordering=pk&page=1&page_size=10`]);
    const larger = await at.ask("administrator", query.replace("Int", "Int = 20"));
    expect(larger).toMatchObject({ errors: ["plexConnections BAD_USER_INPUT"], calls: [] });
  });
});
