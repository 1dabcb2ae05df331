import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FakeAuthentik,
  json,
  page,
  sendJson,
  sendPage,
  startFakeAuthentik,
} from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { listBody } from "../support/wire-bodies.ts";

const LIST = "/api/v3/sources/user_connections/plex/?ordering=pk";

let authentik: FakeAuthentik;
let gateway: TestGateway;

async function start(options: Parameters<typeof startFakeAuthentik>[0] = {}, list = true) {
  authentik = await startFakeAuthentik(options);
  gateway = await startGateway({ authentikUrl: authentik.url, authentik: { list } });
}

beforeEach(() => start());
afterEach(async () => {
  await gateway.close();
  await authentik.close();
});

async function restart(options: Parameters<typeof startFakeAuthentik>[0], list = true) {
  await gateway.close();
  await authentik.close();
  await start(options, list);
}

/** Asks for keys by aliases, and checks that each is answered with itself or with null. */
async function ask(pks: readonly number[], exists: (pk: number) => boolean = () => true) {
  authentik.requests.length = 0;
  const fields = pks.map((pk, index) => `a${index}: plexConnection(id: ${pk}) { pk identifier }`);
  const { data, errors } = await gateway.post(`{ ${fields.join(" ")} }`);
  expect(errors).toBeUndefined();
  expect(data).toEqual(
    Object.fromEntries(
      pks.map((pk, index) => [`a${index}`, exists(pk) ? { pk, identifier: String(70_000_000 + pk) } : null]),
    ),
  );
  const paths = authentik.paths();
  return {
    lists: paths.filter((path) => path.startsWith(LIST)),
    retrieves: paths.filter((path) => !path.includes("?")),
  };
}

const ownRows = (pk: number) => pk >= 20 && pk <= 22;

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
  expect(authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
  expect(gateway.records[0]?.usage).toMatchObject({ restCalls: 1, keysFetched: 1 });
});

test("one key is retrieved", async () => {
  expect(await ask([5])).toEqual({ lists: [], retrieves: ["/api/v3/sources/user_connections/plex/5/"] });
});

test("fifty keys of a directory of one page are one list, the first time and ever after", async () => {
  for (const pks of [range(1, 50), range(40, 89), range(51, 100)]) {
    expect(await ask(pks)).toEqual({ lists: [`${LIST}&page=1&page_size=100`], retrieves: [] });
  }
});

test("a person who sees three rows costs one list, whatever is asked for", async () => {
  await restart({ visible: (_authorization, pk) => ownRows(pk) });
  expect(await ask(range(1, 50), ownRows)).toMatchObject({ lists: { length: 1 }, retrieves: [] });
  expect(await ask([21, 30], ownRows)).toMatchObject({ lists: { length: 1 }, retrieves: [] });
  expect(await ask([21], ownRows)).toMatchObject({ lists: [], retrieves: { length: 1 } });
});

test("few keys of a large directory are retrieved once its size is known", async () => {
  await restart({ pks: range(1, 3_000) });
  const first = await ask([10, 1_500, 2_900]);
  expect(first.lists).toHaveLength(1);
  expect(await ask([11, 1_501, 2_901])).toMatchObject({ lists: [], retrieves: { length: 3 } });
  const fiveInFifty = Array.from({ length: 50 }, (_, index) => (index % 5) + 1);
  expect(await ask(fiveInFifty)).toMatchObject({ lists: [], retrieves: { length: 5 } });
});

test("keys that stand close together are picked from their page in a large directory", async () => {
  await restart({ pks: range(1, 3_000) });
  await ask([1, 2]);
  const { lists, retrieves } = await ask(range(1_510, 1_559));
  expect(lists.length).toBeLessThanOrEqual(2);
  expect(lists).toContain(`${LIST}&page=16&page_size=100`);
  expect(retrieves).toEqual([]);
});

test("the whole list is read page by page where that costs less", async () => {
  await restart({ pks: range(1, 250) });
  const wanted = range(1, 250).filter((pk) => pk % 3 === 0);
  const { lists, retrieves } = await ask(wanted);
  expect(lists).toHaveLength(3);
  expect(retrieves).toEqual([]);
});

test("a smaller page that the server grants is followed", async () => {
  await restart({ pks: range(1, 60), maxPageSize: 20 });
  const wanted = range(1, 60);
  expect(await ask(wanted)).toMatchObject({ lists: { length: 3 }, retrieves: [] });
  expect(await ask(wanted)).toMatchObject({ lists: { length: 3 }, retrieves: [] });
});

test("keys between, before and after the rows are null without a retrieve", async () => {
  await restart({ pks: [10, 20, 30] });
  expect(await ask([5, 10, 15, 20, 31, 2_147_483_647], (pk) => [10, 20].includes(pk))).toEqual({
    lists: [expect.stringContaining(LIST)],
    retrieves: [],
  });
});

test("rows that move between pages while they are read are retrieved, not lost", async () => {
  await restart({ pks: range(1, 200) });
  await ask(range(1, 200));
  authentik.answer((request, response, fallback) => {
    // Between the two reads ten rows at the start go away, so that ten others slip past the end of page 1.
    if (request.path.includes("page=2&")) for (const pk of range(1, 10)) authentik.directory.delete(pk);
    fallback();
    void response;
  });
  const { retrieves } = await ask(range(11, 200));
  for (const path of retrieves) expect(Number(path.split("/").at(-2))).toBeGreaterThan(100);
});

test("off by option: every key is retrieved", async () => {
  await restart({}, false);
  expect(await ask(range(1, 20))).toMatchObject({ lists: [], retrieves: { length: 20 } });
});

describe("a list that does not help", () => {
  test.each([
    ["a page", page(404, "no such route")],
    ["500", page(500, "error")],
    ["403", json(403, { detail: "no permission" })],
    ["another shape", json(200, { hello: 1 })],
    ["rows out of order", json(200, listBody([{ pk: 1_000 }, { pk: 999 }]))],
  ])("%s: the keys are retrieved", async (_name, answer) => {
    authentik.answer((request, response, fallback) => {
      if (request.path.includes("?")) answer(response);
      else fallback();
    });
    expect(await ask([1, 2, 3])).toMatchObject({ lists: { length: 1 }, retrieves: { length: 3 } });
  });

  test("a page with fewer rows than it says hides nothing: what it lacks is retrieved", async () => {
    authentik.answer((request, response, fallback) => {
      const first = authentik.directory.get(1);
      if (!request.path.includes("?")) fallback();
      else sendJson(response, 200, { ...listBody([first, {}, {}]), results: [first] });
    });
    expect(await ask([1, 2, 3])).toEqual({
      lists: [expect.stringContaining(LIST)],
      retrieves: [2, 3].map((pk) => `/api/v3/sources/user_connections/plex/${pk}/`),
    });
  });

  test("a retrieve that answers with another key is an invalid response, for its key alone", async () => {
    authentik.answer((_request, response) => sendJson(response, 200, authentik.directory.get(2)));
    const { data, errors } = await gateway.post("{ plexConnection(id: 1) { pk } }");
    expect(data).toEqual({ plexConnection: null });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["UPSTREAM_INVALID_RESPONSE"]);
  });

  test("one broken row costs its own key only", async () => {
    authentik.directory.set(2, { ...authentik.directory.get(2), identifier: 5 });
    const { data, errors } = await gateway.post(
      "{ a: plexConnection(id: 1) { pk } b: plexConnection(id: 2) { pk } c: plexConnection(id: 3) { pk } }",
    );
    expect(data).toEqual({ a: { pk: 1 }, b: null, c: { pk: 3 } });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [["b"], "UPSTREAM_INVALID_RESPONSE"],
    ]);
  });

  test("an outage fails every key with one pair of calls", async () => {
    authentik.answer((_request, response) => sendPage(response, 502, "bad gateway"));
    const { errors } = await gateway.post(
      "{ a: plexConnection(id: 1) { pk } b: plexConnection(id: 2) { pk } }",
    );
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual([
      "UPSTREAM_UNAVAILABLE",
      "UPSTREAM_UNAVAILABLE",
    ]);
    expect(authentik.requests).toHaveLength(2);
  });
});
