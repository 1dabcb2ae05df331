import { describe, expect, test } from "vitest";
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
    expect(calls.slice(1)).toEqual([...pages(100), ...pages(99)]);
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
    expect(calls.slice(1)).toEqual([...pages(100), ...pages(99), ...pages(98)]);
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
      calls: [100, 99].flatMap((size) =>
        [1, 2, 3].map((page) => `${LIST}search=777&ordering=pk&page=${page}&page_size=${size}`),
      ),
    });
  });

  test("a page that is no more is no end", async () => {
    const at = await houseForTest("2025.4", { viewers: 98 });
    once(at, "ordering=user,pk&page=1&", () => at.house.connections.delete(5));
    const { data, calls } = await at.ask("administrator", QUERY);
    expect(data).toMatchObject({ authentikUsers: { nodes: all.slice(0, 98) } });
    expect(calls.slice(-1)).toEqual([`${LIST}ordering=user,pk&page=2&page_size=99`]);
  });
});
