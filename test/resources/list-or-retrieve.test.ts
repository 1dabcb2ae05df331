import { beforeEach, describe, expect, test } from "vitest";
import { type FakeAuthentikOptions, json, page, type Sending, sendPage } from "../support/fake-authentik.ts";
import { type GatewayBeforeFake, gatewayForTest } from "../support/gateway.ts";
import { connectionBody, listBody } from "../support/wire-bodies.ts";

const CONNECTIONS = "/api/v3/sources/user_connections/plex/";

let { authentik, gateway } = {} as GatewayBeforeFake; // no test runs before the hook

async function start(fake: FakeAuthentikOptions = {}): Promise<void> {
  ({ authentik, gateway } = await gatewayForTest({}, fake));
}

beforeEach(() => start());

/** A page as it is asked for. */
const rows = (page: number, size = 100): string => `?ordering=pk&page=${page}&page_size=${size}`;

/**
 * Asks for keys by aliases, and checks that each is answered with itself or with null.
 * @returns which pages authentik was asked for, and which keys were retrieved
 */
async function ask(pks: readonly number[], existing: readonly number[] = pks) {
  authentik.requests.length = 0;
  const fields = pks.map((pk, index) => `a${index}: plexConnection(id: ${pk}) { pk identifier }`);
  const { result } = await gateway.post(`{ ${fields.join(" ")} }`);
  const expected = pks.map((pk, index) => [
    `a${index}`,
    existing.includes(pk) ? { pk, identifier: String(70_000_000 + pk) } : null,
  ]);
  expect(result).toEqual({ data: Object.fromEntries(expected) });
  const asked = authentik.paths().map((path) => path.replace(CONNECTIONS, ""));
  const keys = asked.filter((path) => !path.startsWith("?")).map((path) => Number(path.slice(0, -1)));
  return { pages: asked.filter((path) => path.startsWith("?")), keys: keys.sort((a, b) => a - b) };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test("duplicates in aliases, lists and fragments are one call", async () => {
  const { data } = await gateway.post(`
    { a: plexConnection(id: 5) { pk } ...f
      _entities(representations: [{__typename: "PlexSourceConnection", pk: 5}, {__typename: "PlexSourceConnection", id: "5"}]) {
        ... on PlexSourceConnection { identifier }
      } }
    fragment f on Query { b: plexConnection(id: "5") { identifier } }
  `);
  expect(data).toMatchObject({ a: { pk: 5 }, b: { identifier: "70000005" }, _entities: [{}, {}] });
  expect(authentik.paths()).toEqual([`${CONNECTIONS}5/`]);
  expect(gateway.records[0]?.usage).toMatchObject({ restCalls: 1, keysRequested: 4, keysFetched: 1 });
});

test("fifty keys of a directory of one page are one list, the first time and ever after", async () => {
  for (const pks of [range(1, 50), range(40, 89), range(51, 100)]) {
    expect(await ask(pks)).toEqual({ pages: [rows(1)], keys: [] });
  }
});

test("a person who sees three rows costs one list, whatever is asked for", async () => {
  const seen = [20, 21, 22];
  await start({ visible: (_authorization, pk) => seen.includes(pk) });
  expect(await ask(range(1, 50), seen)).toEqual({ pages: [rows(1)], keys: [] });
  expect(await ask([21, 30], seen)).toEqual({ pages: [rows(1)], keys: [] });
  expect(await ask([21], seen)).toEqual({ pages: [], keys: [21] });
});

describe("of a large directory", () => {
  beforeEach(() => start({ pks: range(1, 3_000) }));

  test("few keys are retrieved once its size is known", async () => {
    expect((await ask([10, 1_500, 2_900])).pages).toHaveLength(1);
    expect(await ask([11, 1_501, 2_901])).toEqual({ pages: [], keys: [11, 1_501, 2_901] });
    const fiveInFifty = Array.from({ length: 50 }, (_, index) => (index % 5) + 1);
    expect(await ask(fiveInFifty)).toEqual({ pages: [], keys: [1, 2, 3, 4, 5] });
  });

  test("keys that stand close together are picked from their page, and those beside it are retrieved", async () => {
    await ask(range(1, 50));
    expect(await ask([...range(1_501, 1_540), 2_222, 2_777])).toEqual({
      pages: [rows(16)],
      keys: [2_222, 2_777],
    });
  });
});

test("a whole list is read page by page, in smaller pages where the server grants no others", async () => {
  await start({ pks: range(1, 60), maxPageSize: 20 });
  expect(await ask(range(1, 60))).toEqual({ pages: [rows(1), rows(2, 20), rows(3, 20)], keys: [] });
  expect(await ask(range(1, 60))).toMatchObject({ pages: { length: 3 }, keys: [] });
});

test("rows that move between pages while they are read are retrieved, not lost", async () => {
  await start({ pks: range(1, 200) });
  await ask(range(1, 200));
  authentik.answer((request, _response, fallback) => {
    // Between the two reads ten rows at the start go away, so that ten others slip past the end of page 1.
    if (request.path.includes("page=2&")) for (const pk of range(1, 10)) authentik.directory.delete(pk);
    fallback();
  });
  const { keys } = await ask(range(11, 200));
  for (const key of keys) expect(key).toBeGreaterThan(100);
});

describe("a list that cannot be believed", () => {
  const three = [1, 2, 3].map((pk) => connectionBody(pk));
  const whole = listBody(three);
  /** A list that says something else of itself. */
  const saying = (pagination: object) =>
    json(200, { ...whole, pagination: { ...(whole["pagination"] as object), ...pagination } });

  test.each<[what: string, answer: Sending, retrieved: number[]]>([
    ["is a page", page(404, "no such route"), [1, 2, 3, 4]],
    ["is refused", json(403, { detail: "no permission" }), [1, 2, 3, 4]],
    ["is no list", json(200, { hello: 1 }), [1, 2, 3, 4]],
    ["is empty", json(200, { ...whole, results: [] }), [1, 2, 3, 4]],
    ["has a key that is none", json(200, listBody([{ pk: "1" }, ...three.slice(1)])), [1, 2, 3, 4]],
    ["has a key twice", json(200, listBody([...three.slice(0, 2), three[1]])), [3, 4]],
    ["is not in order", json(200, listBody(three.toReversed())), [4]],
    ["lacks a row in the middle", json(200, { ...whole, results: three.toSpliced(1, 1) }), [2, 4]],
    ["lacks its last row", json(200, { ...whole, results: three.slice(0, 2) }), [3, 4]],
    ["counts more rows than it ends with", saying({ count: 9 }), [4]],
    ["has a next page after its last row", saying({ next: 2 }), [4]],
  ])("%s: what it lacks is retrieved, and answered", async (_what, answer, retrieved) => {
    await start({
      pks: [1, 2, 3],
      answer: (request, response, fallback) => (request.path.includes("?") ? answer(response) : fallback()),
    });
    expect(await ask([1, 2, 3, 4], [1, 2, 3])).toMatchObject({ pages: { length: 1 }, keys: retrieved });
  });
});

test("one broken row costs its own key only", async () => {
  authentik.directory.set(2, { ...authentik.directory.get(2), identifier: 5 });
  const { data, errors } = await gateway.post(
    "{ a: plexConnection(id: 1) { pk } b: plexConnection(id: 2) { pk } c: plexConnection(id: 3) { pk } }",
  );
  expect(data).toEqual({ a: { pk: 1 }, b: null, c: { pk: 3 } });
  expect(errors).toMatchObject([{ path: ["b"], extensions: { code: "UPSTREAM_INVALID_RESPONSE" } }]);
  expect(authentik.requests).toHaveLength(1);
});

test("an outage fails every key with one pair of calls", async () => {
  authentik.answer((_request, response) => sendPage(response, 502, "bad gateway"));
  const { codes } = await gateway.post("{ a: plexConnection(id: 1) { pk } b: plexConnection(id: 2) { pk } }");
  expect(codes).toEqual(["UPSTREAM_UNAVAILABLE", "UPSTREAM_UNAVAILABLE"]);
  expect(authentik.requests).toHaveLength(2);
});

// A thousand times as many rows as there are keys took the process's whole memory.
test.each([2_000_000_000, 3_000_000_000])("a list that claims %d rows costs no more", async (count) => {
  const hundred = range(1, 100).map((pk) => connectionBody(pk));
  authentik.answer((request, response, fallback) =>
    request.path.includes("?") ? json(200, listBody(hundred, { count }))(response) : fallback(),
  );
  const before = process.cpuUsage();
  await ask([...range(1, 50), ...range(151, 160)], range(1, 100));
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
  const { codes } = await gateway.post("{ plexConnections { totalCount } }");
  expect(codes).toEqual(count > 2_147_483_647 ? ["UPSTREAM_INVALID_RESPONSE"] : []);
});
