import { beforeEach, describe, expect, test } from "vitest";
import { addConnection } from "../../src/sandbox/directory.ts";
import { type HouseGateway, houseForTest } from "../support/house-gateway.ts";

const LIST = "/sources/user_connections/plex/?";

/** Three pages of the whole list. */
const pages = (size: number) =>
  [1, 2, 3].map((page) => `${LIST}ordering=user,pk&page=${page}&page_size=${size}`);

/** Does something right after the first answer to a request that has this in its path. */
function once(at: HouseGateway, part: string, change: () => void): void {
  let isDone = false;
  at.authentik.answer((request, _response, fallback) => {
    fallback();
    if (isDone || !request.path.includes(part)) return;
    isDone = true;
    change();
  });
}

describe("a whole list that changes while its pages are read", () => {
  const QUERY = `{ authentikUsers(first: 100, filter: { search: "viewer" }) {
    nodes { username plexConnections { id } }
  } }`;
  const all = Array.from({ length: 100 }, (_, index) => ({
    username: `viewer${1001 + index}`,
    plexConnections: [{ id: String(1001 + index) }],
  }));

  test("is read again where a row went: what moved up between two pages is not lost", async () => {
    const at = await houseForTest("2025.4", { viewers: 247 });
    once(at, "ordering=user,pk&page=1&", () => at.house.connections.delete(5));
    const { data, errors, calls } = await at.ask("administrator", QUERY);
    expect({ data, errors }).toEqual({ data: { authentikUsers: { nodes: all } }, errors: [] });
    expect(calls.slice(1)).toEqual([...pages(100), ...pages(100)]);
    // At rest it costs what it did.
    expect((await at.ask("administrator", QUERY)).calls.slice(1)).toEqual(pages(100));
  });

  test("answers with everything that was read where it never comes to rest", async () => {
    const at = await houseForTest("2025.4", { viewers: 247 });
    at.authentik.answer((request, _response, fallback) => {
      fallback();
      const [first = 0] = at.house.connections.keys();
      if (request.path.includes("ordering=user,pk")) at.house.connections.delete(first);
    });
    const { data, errors, calls } = await at.ask("administrator", QUERY);
    expect({ data, errors }).toEqual({ data: { authentikUsers: { nodes: all } }, errors: [] });
    expect(calls.slice(1)).toEqual([...pages(100), ...pages(100), ...pages(100)]);
  });

  test("so is what a search finds", async () => {
    const at = await houseForTest("2025.4");
    for (let pk = 2001; pk <= 2250; pk += 1) {
      addConnection(at.house, [pk, 53, "cinema", pk === 2100 ? "777" : `777${pk}`], { position: pk });
    }
    once(at, "search=777&", () => at.house.connections.delete(2001));
    expect(await at.ask("administrator", `{ plexAccount(id: "777") { plexConnections { pk } } }`)).toEqual({
      data: { plexAccount: { plexConnections: [{ pk: 2100 }] } },
      errors: [],
      calls: [1, 2, 3, 1, 2, 3].map((page) => `${LIST}search=777&ordering=pk&page=${page}&page_size=100`),
    });
  });

  test("a page that is no more is no end", async () => {
    const at = await houseForTest("2025.4", { viewers: 98 });
    once(at, "ordering=user,pk&page=1&", () => at.house.connections.delete(5));
    const { data, calls } = await at.ask("administrator", QUERY);
    expect(data).toMatchObject({ authentikUsers: { nodes: all.slice(0, 98) } });
    expect(calls.slice(-1)).toEqual([`${LIST}ordering=user,pk&page=1&page_size=100`]);
  });
});

describe("a list that changes between two of its pages, or while one is put together", () => {
  const QUERY = `query ($first: Int!, $after: String, $sort: PlexConnectionSort!) {
    plexConnections(first: $first, after: $after, sort: $sort) {
      totalCount edges { cursor node { pk } } pageInfo { hasNextPage endCursor }
    }
  }`;

  interface Page {
    totalCount: number;
    edges: { cursor: string; node: { pk: number } }[];
    pageInfo: { hasNextPage: boolean; endCursor: string };
  }

  let at: HouseGateway;
  beforeEach(async () => {
    at = await houseForTest("2025.4", { viewers: 497 });
  });

  /** Keys in order. */
  const keys = () => [...at.house.connections.keys()].toSorted((a, b) => a - b);

  async function page(sort: string, first: number, after: string | null = null) {
    const { data, errors, calls } = await at.ask("administrator", QUERY, { sort, first, after });
    expect(errors).toEqual([]);
    const { edges, totalCount, pageInfo } = (data ?? {})["plexConnections"] as Page;
    const sizes = calls.map((path) => path.replace(/.*&page=(\d+)&page_size=(\d+)$/, "$1 of $2"));
    return { pks: edges.map(({ node }) => node.pk), edges, totalCount, ...pageInfo, sizes };
  }

  function insert(rows: number): void {
    const [last = 0] = keys().slice(-1);
    for (let pk = last + 1; pk <= last + rows; pk += 1)
      addConnection(at.house, [pk, 53, "plex", "999"], { position: pk });
  }

  function deleteFirst(rows: number): void {
    for (const pk of keys().slice(0, rows)) at.house.connections.delete(pk);
  }

  test.each([
    [1, 6, ["2 of 1", "1 of 100"]],
    [20, 100, ["2 of 20", "1 of 100", "2 of 100"]],
    [100, 300, ["2 of 100", "3 of 100", "4 of 100", "5 of 100"]],
  ])(
    "pages of %i, %i rows come before the next one: it begins where the last ended",
    async (first, rows, sizes) => {
      const before = keys().toReversed();
      const one = await page("ID_DESC", first);
      insert(rows);
      const two = await page("ID_DESC", first, one.endCursor);
      expect(two).toMatchObject({ totalCount: 500 + rows, hasNextPage: true, sizes });
      expect([...one.pks, ...two.pks]).toEqual(before.slice(0, 2 * first));
    },
  );

  test.each([
    [150, 0, ["3 of 100", "1 of 100", "3 of 50"]],
    [150, 50, ["3 of 100", "1 of 100", "3 of 50"]],
    [190, 160, ["3 of 100", "2 of 100", "1 of 100", "11 of 10"]],
    [300, 50, ["3 of 100", "1 of 100"]],
  ])("%i rows go before the next page, %i come after it: none between is lost", async (gone, come, sizes) => {
    const before = keys();
    const two = await page("ID_ASC", 100, (await page("ID_ASC", 100)).endCursor);
    deleteFirst(gone);
    insert(come);
    const three = await page("ID_ASC", 100, two.endCursor);
    expect({ pks: three.pks, sizes: three.sizes }).toEqual({
      pks: before.slice(Math.max(200, gone)).slice(0, 100),
      sizes,
    });
  });

  test("all rows go: an empty page", async () => {
    const one = await page("ID_ASC", 100);
    deleteFirst(500);
    expect(await page("ID_ASC", 100, one.endCursor)).toMatchObject({
      pks: [],
      totalCount: 0,
      hasNextPage: false,
    });
  });

  test("a row comes between two reads of one page: none is there twice", async () => {
    const before = keys().toReversed();
    const one = await page("ID_DESC", 60);
    once(at, "page=1&page_size=100", () => insert(1));
    const two = await page("ID_DESC", 100, one.endCursor);
    expect([...one.pks, ...two.pks]).toEqual(before.slice(0, 160));
  });

  test("a row goes between two reads of one page: none is lost, after none of its cursors", async () => {
    const before = keys();
    const one = await page("ID_ASC", 60);
    once(at, "page=1&page_size=100", () => deleteFirst(1));
    const two = await page("ID_ASC", 100, one.endCursor);
    expect([...one.pks, ...two.pks]).toEqual(before.slice(0, 160));
    for (const index of [0, 39, 40, 99]) {
      const three = await page("ID_ASC", 3, two.edges[index]?.cursor);
      expect(three.pks).toEqual(before.slice(61 + index, 64 + index));
    }
  });
});
