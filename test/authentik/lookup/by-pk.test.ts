import { describe, expect, test } from "vitest";
import { AuthentikError } from "../../../src/authentik/authentik-error.ts";
import { createSimulatedLookup, type Tamper } from "./simulated-client.ts";

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const rowsOf = (pks: readonly number[]): { pk: number }[] => pks.map((pk) => ({ pk }));
const page = (number: number, size = 100): string => `/things/?page=${number}&page_size=${size}`;
const retrieve = (pk: number): string => `/things/${pk}/`;

describe("a lookup by primary key", () => {
  test("retrieves a single key", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 10 });
    expect((await run("caller", [5])).outcomes).toEqual([{ pk: 5 }]);
    expect(requests).toEqual([retrieve(5)]);
  });

  test("answers in the order of the keys, the same key as often as it is asked for, null for what is not there", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 10 });
    expect((await run("caller", [3, 99, 3, 1])).outcomes).toEqual([{ pk: 3 }, null, { pk: 3 }, { pk: 1 }]);
    expect(requests).toEqual([page(1, 25)]);
    await run("caller", [99, 99]);
    expect(requests).toEqual([retrieve(99)]);
  });

  test("reads all pages of the whole list at once where that costs less", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 300 });
    const pks = range(1, 300).filter((pk) => pk % 3 === 0);
    await run("caller", pks);
    expect((await run("caller", pks)).outcomes).toEqual(rowsOf(pks));
    expect(requests.toSorted()).toEqual([page(1), page(2), page(3)]);
  });

  test("retrieves the keys beside the page that holds the most of them", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 10_000 });
    await run("caller", range(1, 50));
    const pks = [...range(2_501, 2_540), 5_000, 7_777];
    expect((await run("caller", pks)).outcomes).toEqual(rowsOf(pks));
    expect(requests.toSorted()).toEqual([retrieve(5_000), retrieve(7_777), page(26)].toSorted());
  });

  test("trusts a right guess: further pages are read together", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 10_000 });
    await run("caller", range(1, 50));
    await run("caller", range(2_001, 2_500));
    expect(requests.toSorted()).toEqual([21, 22, 23, 24, 25].map((number) => page(number)));
  });

  test("looks at few rows of a new caller's list where another caller's was long", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 1_000 });
    await run("caller", range(1, 50));
    expect(requests[0]).toBe(page(1));
    await run("another caller", range(500, 503));
    expect(requests).toEqual([page(1, 10), ...range(500, 503).map(retrieve)]);
  });

  test("follows a smaller page that authentik grants", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 60, maxPageSize: 20 });
    expect((await run("caller", range(1, 60))).outcomes).toEqual(rowsOf(range(1, 60)));
    expect(requests).toEqual([page(1), page(2, 20), page(3, 20)]);
  });

  test("retrieves every key where lists are switched off", async () => {
    const { run, requests } = createSimulatedLookup({ rows: 10 }, { isListOn: false });
    await run("caller", [1, 2, 3]);
    expect(requests).toEqual([1, 2, 3].map(retrieve));
  });
});

describe("a list that cannot be believed", () => {
  interface ListBody {
    pagination: Record<string, number>;
    results: unknown[];
  }
  const tamperWithLists =
    (change: (body: ListBody) => unknown): Tamper =>
    (path, body) =>
      path.includes("?") ? change(structuredClone(body) as ListBody) : undefined;

  test.each<[string, (body: ListBody) => unknown]>([
    ["lacks a row in the middle", (body) => ({ ...body, results: body.results.toSpliced(1, 1) })],
    ["lacks its last row", (body) => ({ ...body, results: body.results.slice(0, -1) })],
    ["is empty", (body) => ({ ...body, results: [] })],
    [
      "counts more rows than it ends with",
      (body) => ({ ...body, pagination: { ...body.pagination, count: 9 } }),
    ],
    [
      "has a next page after its last row",
      (body) => ({ ...body, pagination: { ...body.pagination, next: 2 } }),
    ],
    ["is not in order", (body) => ({ ...body, results: body.results.toReversed() })],
    ["has a key that is none", (body) => ({ ...body, results: [{ pk: "1" }, { pk: 2 }, { pk: 3 }] })],
    ["is no list", () => ({ hello: 1 })],
    ["is refused", () => new AuthentikError("forbidden", "no permission")],
    ["is broken", () => new AuthentikError("upstream-failure", "500")],
  ])("%s: what it lacks is retrieved, and answered", async (_name, change) => {
    const { run, requests } = createSimulatedLookup({ rows: 3 }, { tamper: tamperWithLists(change) });
    expect((await run("caller", [1, 2, 3, 4])).outcomes).toEqual([...rowsOf([1, 2, 3]), null]);
    expect(requests[0]).toBe(page(1, 37));
    expect(requests).toContain(retrieve(4));
    expect(requests.slice(1).every((path) => !path.includes("?"))).toBe(true);
  });

  test("costs nothing more where every key would fail the same way", async () => {
    const outage = new AuthentikError("unreachable", "502");
    const { run, requests } = createSimulatedLookup({ rows: 3 }, { tamper: () => outage });
    expect((await run("caller", [1, 2, 3])).outcomes).toEqual([outage, outage, outage]);
    expect(requests).toHaveLength(1);
  });
});

test("a retrieve that answers with another key is a malformed response for its key alone", async () => {
  const { run } = createSimulatedLookup(
    { rows: 3 },
    { isListOn: false, tamper: (path) => (path === retrieve(2) ? { pk: 3 } : undefined) },
  );
  expect((await run("caller", [1, 2, 3])).outcomes).toEqual([
    { pk: 1 },
    expect.objectContaining({ kind: "malformed-response" }),
    { pk: 3 },
  ]);
});
