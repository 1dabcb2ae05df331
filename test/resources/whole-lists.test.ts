import { describe, expect, test } from "vitest";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { json, page, type Sending, sendPage } from "../support/fake-authentik.ts";
import { patience } from "../support/patience.ts";
import { type SandboxGateway, sandboxGatewayForTest } from "../support/sandbox-gateway.ts";
import { listBody } from "../support/wire-bodies.ts";

// Many keys are looked up in the whole list, and some things can only be found in it.

const LIST = "/sources/user_connections/plex/?";

/** Pages of the whole list. */
const pages = (size: number, numbers = [1, 2, 3]) =>
  numbers.map((page) => `${LIST}ordering=user,pk&page=${page}&page_size=${size}`);

/** Reads up to a hundred viewers with their connections, which are looked for in the whole list. */
async function read(at: SandboxGateway) {
  const query = `{ authentikUsers(first: 100, filter: { search: "viewer" }) { nodes { pk plexConnections { pk } } } }`;
  const { calls, ...answer } = await at.ask("administrator", query);
  return { ...answer, calls: calls.slice(1) };
}

/** What so many viewers have; null where it fails. */
const viewers = (count: number, isAnswered = (_pk: number) => true) => ({
  authentikUsers: {
    nodes: Array.from({ length: count }, (_, index) => 1001 + index).map((pk) => ({
      pk,
      plexConnections: isAnswered(pk) ? [{ pk }] : null,
    })),
  },
});

describe("a whole list that changes while its pages are read", () => {
  test("is read again where a row went: what moved up between two pages is not lost", async () => {
    const at = await sandboxGatewayForTest("2025.4", { viewers: 198 });
    at.authentik.answer((request, _response, fallback) => {
      fallback();
      if (request.path === `/api/v3${pages(100)[0]}`) at.directory.connections.delete(5);
    });
    const calls = [...pages(100), ...pages(100, [1, 2])];
    expect(await read(at)).toEqual({ data: viewers(100), errors: [], calls });
    // At rest it costs what it did.
    expect((await read(at)).calls).toEqual(pages(100, [1, 2]));
  });

  test("answers with everything that was read where it never comes to rest", async () => {
    const at = await sandboxGatewayForTest("2025.4", { viewers: 247 });
    at.authentik.answer((request, _response, fallback) => {
      fallback();
      const [first = 0] = at.directory.connections.keys();
      if (request.path.includes("ordering=user,pk")) at.directory.connections.delete(first);
    });
    const calls = [...pages(100), ...pages(100), ...pages(100)];
    expect(await read(at)).toEqual({ data: viewers(100), errors: [], calls });
  });
});

async function readWhere(sending: Sending, release: SandboxRelease = "2025.4") {
  const at = await sandboxGatewayForTest(release, { viewers: 20 });
  at.authentik.answer((request, response, fallback) =>
    request.path.includes("ordering=user,pk") ? sending(response) : fallback(),
  );
  const { calls, ...answer } = await read(at);
  return { ...answer, calls: calls.toSorted() };
}

describe("a whole list that fails", () => {
  const ofEach = viewers(20).authentikUsers.nodes.map(
    ({ pk }) => `${LIST}user=${pk}&ordering=pk&page=1&page_size=100`,
  );
  const allFailed = (code: string) =>
    [...ofEach.keys()].map((index) => `authentikUsers.nodes.${index}.plexConnections ${code}`);

  test("for one row that cannot be read costs its own key only", async () => {
    const at = await sandboxGatewayForTest("2025.4", { viewers: 20 });
    at.directory.connections.set(1003, { ...at.directory.connections.get(1003)!, created: "one day" });
    const { data, errors, calls } = await read(at);
    expect(data).toEqual(viewers(20, (pk) => pk !== 1003));
    expect(errors).toEqual(allFailed("UPSTREAM_INVALID_RESPONSE").slice(2, 3));
    expect(calls.toSorted()).toEqual([...pages(100, [1]), ...ofEach]);
  });

  test.each([
    ["with 500", page(500, "error")],
    ["with a page that lacks rows", json(200, { ...listBody(ofEach), results: [] })],
  ])("%s: each key is asked for, where authentik can filter", async (_how, sending) => {
    const calls = [...pages(100, [1]), ...ofEach];
    expect(await readWhere(sending)).toEqual({ data: viewers(20), errors: [], calls });
  });

  test("in the middle: no further page is read, and none is waited for once there is an answer", async () => {
    const at = await sandboxGatewayForTest("2025.4", { viewers: 347 });
    at.authentik.answer(({ path }, response, fallback) => {
      if (path.includes("&page=2&")) sendPage(response, 500, "error");
      else if (!path.includes("&page=3&")) fallback();
    });
    const { data, calls } = await read(at);
    expect([data, calls.slice(0, 4)]).toEqual([viewers(100), [...pages(100), ofEach[0]]]);
    await expect.poll(() => at.authentik.inFlight(), patience).toBe(0);
  });

  test("to join its pages loses no row", async () => {
    const at = await sandboxGatewayForTest("2025.4", { viewers: 347 });
    at.authentik.answer((request, _response, fallback) => {
      Object.assign(request, {
        path: request.path.replace("ordering=user,pk&page=2", "ordering=user,pk&page=1"),
      });
      fallback();
    });
    expect((await read(at)).data).toEqual(viewers(100));
  });

  test("is not read again where authentik cannot filter", async () => {
    const { errors, calls } = await readWhere(page(500, "error"), "2024.2");
    expect(errors).toEqual(allFailed("UPSTREAM_ERROR"));
    expect(calls).toEqual([...pages(100, [1]), ofEach[0]]);
  });

  test("as each key would: no key is asked for", async () => {
    const { errors, calls } = await readWhere(json(429, { detail: "slow down" }));
    expect(errors).toEqual(allFailed("RATE_LIMITED"));
    expect(calls).toEqual(pages(100, [1]));
  });
});

test.each([
  ["2024.8", "12345678"],
  // authentik finds parts.
  ["2025.4", "7"],
] as const)(
  "a list that is too long says what can be done after one page, whether authentik %s can search or not",
  async (shape, id) => {
    const at = await sandboxGatewayForTest(shape, { viewers: 150, maxScannedRows: 100 });
    const query = `{ plexAccount(id: "${id}") { plexConnections { pk } } }`;
    await at.ask("administrator", query);
    at.authentik.requests.length = 0;
    const { errors } = await at.gateway.post(query);
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/^What you ask for is among more connections .* Narrow it down/),
        path: ["plexAccount", "plexConnections"],
        extensions: { code: "LIMIT_EXCEEDED", limit: "scannedRows", max: 100, actual: 153 },
      },
    ]);
    expect(at.authentik.requests).toHaveLength(1);
  },
);
