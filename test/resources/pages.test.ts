import { afterEach, describe, expect, test } from "vitest";
import { addConnection } from "../../src/sandbox/directory.ts";
import { type HouseGateway, SHAPES, startHouse } from "../support/house-gateway.ts";

const LIST = "/sources/user_connections/plex/?";

let at: HouseGateway;
afterEach(() => at.close());

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

async function walk(first: number, sort: string, between: () => void = () => {}): Promise<number[][]> {
  const pages: number[][] = [];
  let after: string | null = null;
  do {
    // oxlint-disable-next-line no-await-in-loop -- a page after the other
    const read = await page(first, after, sort);
    pages.push(read.pks);
    after = read.hasNextPage ? read.endCursor : null;
    if (pages.length === 1) between();
  } while (after !== null);
  return pages;
}

const byNumber = (a: number, b: number) => a - b;

/** A cursor of anybody's. */
function forged(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function remove(pk: number): void {
  at.house.connections.delete(pk);
}

function add(pk: number): void {
  addConnection(at.house, [pk, 53, "plex", "999"], { position: pk });
}

describe("pages of a list", () => {
  test("each page is one call; the total comes with it", async () => {
    at = await startHouse("2025.4", { viewers: 47 });
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
    at = await startHouse("2025.4", { viewers: 47 });
    const query = "{ plexConnections(first: 100) { totalCount } }";
    const { data, calls } = await at.ask("administrator", query);
    expect(data).toEqual({ plexConnections: { totalCount: 50 } });
    expect(calls).toEqual([`${LIST}ordering=pk&page=1&page_size=1`]);
  });

  test("a page of another length goes on where the last one ended", async () => {
    at = await startHouse("2025.4", { viewers: 47 });
    const one = await page(7, null);
    const two = await page(20, one.endCursor);
    expect(two.calls).toEqual([`${LIST}ordering=pk&page=1&page_size=27`]);
    expect([...one.pks, ...two.pks]).toEqual([...at.house.connections.keys()].slice(0, 27));
  });

  test("past the end: an empty page with the total", async () => {
    at = await startHouse("2025.4");
    const one = await page(3, null);
    const two = await page(3, one.endCursor);
    expect(two).toMatchObject({ pks: [], totalCount: 3, hasNextPage: false, endCursor: null });
  });

  test.each(SHAPES)("%s: every sort walks through everything, once", async (shape) => {
    at = await startHouse(shape, { viewers: 30 });
    const all = [...at.house.connections.keys()].sort(byNumber);
    for (const sort of ["ID_ASC", "ID_DESC", "USER_ASC", "IDENTIFIER_ASC", "LAST_UPDATED_DESC"]) {
      // oxlint-disable-next-line no-await-in-loop -- one gateway
      expect((await walk(10, sort)).flat().sort(byNumber)).toEqual(all);
    }
  });

  test.each(["ID_ASC", "ID_DESC", "USER_ASC", "IDENTIFIER_ASC", "LAST_UPDATED_DESC"])(
    "%s: rows that go between two pages, the last one seen among them, take no other along",
    async (sort) => {
      at = await startHouse("2025.4", { viewers: 30 });
      const before = (await walk(10, sort)).flat();
      const gone = [...before.slice(2, 5), ...before.slice(9, 10)];
      const seen = await walk(10, sort, () => gone.forEach(remove));
      expect(seen.flat()).toEqual(before);
    },
  );

  test("rows that come at the head between two pages show none twice", async () => {
    at = await startHouse("2025.4", { viewers: 30 });
    const before = (await walk(10, "ID_DESC")).flat();
    const seen = await walk(10, "ID_DESC", () => [2001, 2002, 2003].forEach(add));
    expect(seen.flat()).toEqual(before);
  });

  test.each([0, -1, 101, 2_147_483_647])("first: %j is BAD_USER_INPUT and costs nothing", async (first) => {
    at = await startHouse("2025.4");
    const query = `{ plexConnections(first: ${first}) { totalCount } plexSources { slug } }`;
    const { data, errors, calls } = await at.ask("administrator", query);
    expect(data).toMatchObject({ plexConnections: null, plexSources: [{}, {}] });
    expect(errors).toEqual(["plexConnections BAD_USER_INPUT"]);
    expect(calls).toHaveLength(1);
  });

  test("what is no cursor of this list is BAD_USER_INPUT and costs nothing", async () => {
    at = await startHouse("2025.4", { viewers: 30 });
    const { endCursor } = await page(10, null);
    const scope = JSON.parse(Buffer.from(endCursor ?? "", "base64url").toString())[0] as string;
    for (const after of [
      "",
      "abc",
      "5",
      "x".repeat(5_000),
      forged(null),
      forged([scope]),
      forged([scope, -1, 5, 5]),
      forged([scope, 1e300, 5, 5]),
      forged([scope, 1, 5, 5, { toString: 1 }]),
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one gateway
      const { errors, calls } = await at.ask(
        "administrator",
        "query ($after: String) { plexConnections(after: $after) { nodes { pk } } }",
        { after },
      );
      expect({ after, errors, calls }).toEqual({
        after,
        errors: ["plexConnections BAD_USER_INPUT"],
        calls: [],
      });
    }
    const other = await at.ask(
      "administrator",
      "query ($after: String) { plexConnections(after: $after, sort: ID_DESC) { nodes { pk } } }",
      { after: endCursor },
    );
    expect(other.errors).toEqual(["plexConnections BAD_USER_INPUT"]);
  });

  test("a forged place costs a few calls and ends", async () => {
    at = await startHouse("2025.4", { viewers: 250 });
    const { endCursor } = await page(1, null);
    const [scope] = JSON.parse(Buffer.from(endCursor ?? "", "base64url").toString()) as [string];
    const far = forged([scope, 0, 2_000, 253, 2_000]);
    const { calls } = await page(1, far);
    expect(calls.length).toBeLessThanOrEqual(5);
  });
});

describe("filters that would be none", () => {
  test.each([
    `filter: { username: "" }`,
    `filter: { source: "" }`,
    `filter: { identifier: "" }`,
    `filter: { user: 0 }`,
    `filter: { user: -5 }`,
    `filter: { source: "${"x".repeat(300)}" }`,
    String.raw`filter: { username: "\u0000" }`,
    String.raw`filter: { username: "\ud800" }`,
  ])("%s is BAD_USER_INPUT and costs nothing", async (filter) => {
    at = await startHouse("2025.4");
    const { errors, calls } = await at.ask("administrator", `{ plexConnections(${filter}) { totalCount } }`);
    expect(errors.map((error) => error.split(" ").at(-1))).toEqual([
      expect.stringMatching(/BAD_USER_INPUT|GRAPHQL_PARSE_FAILED/),
    ]);
    expect(calls).toEqual([]);
  });
});

describe("what can only be found by looking through the list", () => {
  test.each(["2024.2", "2024.8"] as const)(
    "%s: beyond the limit is LIMIT_EXCEEDED after one page",
    async (shape) => {
      at = await startHouse(shape, { viewers: 150, maxScannedRows: 100 });
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
});
