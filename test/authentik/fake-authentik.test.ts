import { afterEach, expect, test } from "vitest";
import { createGate, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody, connectionBody2025, listBody } from "../support/wire-bodies.ts";

const LIST = "api/v3/sources/user_connections/plex/";
let authentik: FakeAuthentik;
afterEach(async () => {
  await authentik.close();
});

async function get(
  path: string,
  headers: Record<string, string> = { Authorization: "Bearer t" },
): Promise<Response> {
  return fetch(`${authentik.url.href}${path}`, { headers });
}

test("a retrieve answers from the directory, and a missing key as the API says it", async () => {
  authentik = await startFakeAuthentik();
  expect(await (await get(`${LIST}5/`)).json()).toEqual(connectionBody(5));
  const missing = await get(`${LIST}101/`);
  expect(missing.status).toBe(404);
  expect(await missing.json()).toEqual({ detail: "Not found." });
  expect(authentik.paths()).toEqual([`/${LIST}5/`, `/${LIST}101/`]);
});

test("the newer shape on demand", async () => {
  authentik = await startFakeAuthentik({ shape: "2025.4" });
  expect(await (await get(`${LIST}5/`)).json()).toEqual(connectionBody2025(5));
});

test("lists are ordered, paged and clamped", async () => {
  authentik = await startFakeAuthentik({ pks: [9, 3, 7], maxPageSize: 2 });
  expect(await (await get(`${LIST}?ordering=pk&page_size=100&page=2`)).json()).toEqual(
    listBody([connectionBody(9)], { page: 2, pageSize: 2, count: 3 }),
  );
  expect((await get(`${LIST}?page=4`)).status).toBe(404);
});

test("callers see what they may see, and nothing without credentials", async () => {
  authentik = await startFakeAuthentik({
    visible: (authorization, pk) => authorization === "Bearer t" && pk < 3,
  });
  expect(await (await get(LIST)).json()).toMatchObject({ pagination: { count: 2 } });
  expect((await get(`${LIST}3/`)).status).toBe(404);
  expect((await get(LIST, {})).status).toBe(403);
});

test("outside the API there are only pages", async () => {
  authentik = await startFakeAuthentik();
  const page = await get("nothing/here");
  expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
});

test("an answer waits for its gate, and a client that leaves is seen", async () => {
  const gate = createGate();
  authentik = await startFakeAuthentik({
    answer: async (_request, _response, fallback) => {
      await gate.opened;
      fallback();
    },
  });
  const abort = new AbortController();
  const left = fetch(`${authentik.url.href}${LIST}1/`, { signal: abort.signal }).catch(() => "left");
  const stayed = get(`${LIST}2/`);
  await authentik.arrived(2);
  abort.abort();
  await authentik.abandoned(1);
  gate.open();
  expect([await left, (await stayed).status]).toEqual(["left", 200]);
  expect(authentik.requests.find((request) => request.path === `/${LIST}1/`)?.aborted).toBe(true);
});
