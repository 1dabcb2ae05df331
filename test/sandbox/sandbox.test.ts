import { afterEach, describe, expect, test } from "vitest";
import { SANDBOX_RELEASES, type SandboxRelease } from "../../src/sandbox/releases.ts";
import { createSandbox, type Sandbox, type SandboxOptions } from "../../src/sandbox/sandbox.ts";

let sandbox: Sandbox | undefined;
afterEach(() => sandbox?.close());

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  sandbox = await createSandbox(options);
  return sandbox;
}

const connections = "/sources/user_connections/plex/";

async function ask(
  path: string,
  { sandbox, token, ...init }: RequestInit & { sandbox: Sandbox; token?: string },
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const headers = { accept: "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(new URL(`/api/v3${path}`, sandbox.url), { ...init, headers });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as unknown) : text,
  };
}

type Row = Record<string, unknown>;

async function statusOf(path: string, options: { sandbox: Sandbox; token?: string }): Promise<number> {
  return (await ask(path, options)).status;
}

describe("a sandbox", () => {
  test("answers as the newest release, on a free port of this machine, unless told otherwise", async () => {
    const sandbox = await start();
    expect(sandbox.url.hostname).toBe("127.0.0.1");
    expect(Number(sandbox.url.port)).toBeGreaterThan(0);
    expect(sandbox.release).toBe(SANDBOX_RELEASES.at(-1));
  });

  test("can stand beside others, each with its own release", async () => {
    const old = await createSandbox({ release: "2024.2" });
    const sandbox = await start({ release: "2026.8" });
    const { token } = sandbox.tokens.owner;
    const { body: oldBody } = await ask(`${connections}5/`, { sandbox: old, token });
    const { body } = await ask(`${connections}5/`, { sandbox, token });
    await old.close();
    expect(oldBody).toHaveProperty("plex_token", "canary-plex-token-of-connection-5");
    expect(body).not.toHaveProperty("plex_token");
    expect(body).toHaveProperty("source_obj.icon_themed_urls", null);
  });

  test("says so where the port is taken", async () => {
    const { url } = await start();
    await expect(createSandbox({ port: Number(url.port) })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("is gone after it was closed, with what was in flight", async () => {
    const sandbox = await start({ latencyMs: 60_000 });
    const waiting = ask(`${connections}5/`, { sandbox }).catch((error: unknown) => error);
    await sandbox.close();
    expect(await waiting).toBeInstanceOf(TypeError);
    await expect(fetch(sandbox.url)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await expect(sandbox.close()).resolves.toBeUndefined();
  });
});

async function results(path: string, options: { sandbox: Sandbox; token?: string }): Promise<Row[]> {
  const { body } = await ask(path, options);
  return (body as { results: Row[] }).results;
}

describe("the tokens mean what they say", () => {
  test.each(SANDBOX_RELEASES)("in %s", async (release) => {
    const sandbox = await start({ release });
    const { administrator, owner, otherOwner, stranger, expired } = sandbox.tokens;
    const seen = await Promise.all(
      [administrator, owner, otherOwner, stranger, expired].map(async ({ token }) =>
        Promise.all(
          [`${connections}5/`, connections, "/sources/plex/", "/core/users/42/", "/core/users/me/"].map(
            (path) => statusOf(path, { sandbox, token }),
          ),
        ),
      ),
    );
    expect(seen).toEqual([
      [200, 200, 200, 200, 200],
      [200, 200, 403, 403, 200],
      [404, 200, 403, 403, 200],
      [404, 200, 403, 403, 200],
      [403, 403, 403, 403, 403],
    ]);
  });
});

describe("what was seeded", () => {
  test("255 connections at four sources of 255 people, and some who are not linked", async () => {
    const sandbox = await start();
    const { token } = sandbox.tokens.administrator;
    const counts = ["/core/users/", connections, "/sources/plex/"].map(async (path) => {
      const { body } = await ask(path, { sandbox, token });
      return (body as { pagination: { count: number } }).pagination.count;
    });
    expect(await Promise.all(counts)).toEqual([260, 255, 4]);
    expect(await results(`${connections}?user=53`, { sandbox, token })).toEqual([]);
  });

  test("an account that two claim", async () => {
    const sandbox = await start();
    const { token } = sandbox.tokens.administrator;
    const claims = await results(`${connections}?search=87654321&ordering=pk`, { sandbox, token });
    expect(claims.map(({ pk, user }) => [pk, user])).toEqual([
      [6, 43],
      [1124, 1124],
    ]);
  });
});

describe("a connection", () => {
  test("can be removed by its owner, once and for this sandbox alone", async () => {
    const other = await createSandbox();
    const sandbox = await start();
    const path = `${connections}5/`;
    const { owner, otherOwner, administrator } = sandbox.tokens;
    const remove = async ({ token }: { token: string }): Promise<unknown> => {
      const { status, body } = await ask(path, { sandbox, token, method: "DELETE" });
      return [status, body === "" ? body : "a reason"];
    };
    expect(await remove(otherOwner)).toEqual([404, "a reason"]);
    expect(await remove(owner)).toEqual([204, ""]);
    expect(await remove(administrator)).toEqual([404, "a reason"]);
    expect(await statusOf(path, { sandbox, token: administrator.token })).toBe(404);
    expect((await results(connections, { sandbox, token: owner.token })).map(({ pk }) => pk)).toEqual([7]);
    expect(await statusOf(path, { sandbox: other, token: owner.token })).toBe(200);
    await other.close();
  });

  test.each<[SandboxRelease, number]>([
    ["2024.12", 404],
    ["2025.2", 403],
  ])("of %s is not removed by who only may see it: %i", async (release, status) => {
    const sandbox = await start({ release });
    const path = `${connections}5/`;
    const options = { sandbox, method: "DELETE", token: "token-of-operator" };
    expect((await ask(path, options)).status).toBe(status);
    expect(await statusOf(path, { sandbox, token: sandbox.tokens.owner.token })).toBe(200);
  });

  test.each(["POST", "PUT", "PATCH"])("takes no %s", async (method) => {
    const sandbox = await start();
    const { token } = sandbox.tokens.administrator;
    const { status, body } = await ask(`${connections}5/`, { sandbox, token, method });
    expect({ status, body }).toEqual({ status: 405, body: { detail: `Method "${method}" not allowed.` } });
  });
});

test("people are found by name, to the letter, by address, by group, and by parts of a name", async () => {
  const sandbox = await start();
  const { token } = sandbox.tokens.administrator;
  const names = async (query: string): Promise<unknown[]> =>
    (await results(`/core/users/${query}`, { sandbox, token })).map(({ username }) => username);
  expect(await names("?username=alice")).toEqual(["alice"]);
  expect(await names("?username=Alice")).toEqual([]);
  expect(await names("?email=bob@home.example")).toEqual(["bob"]);
  expect(await names("?groups_by_name=family")).toEqual(["alice", "bob", "carol"]);
  expect(await names("?search=ALI")).toEqual(["alice"]);
  expect(await names("?is_active=false")).toEqual(["eve"]);
});

test("2024.6 lends sources the icon of Plex", async () => {
  const sandbox = await start({ release: "2024.6" });
  const { token } = sandbox.tokens.administrator;
  const icon = "/static/authentik/sources/plex.svg";
  expect(await results("/sources/plex/?slug=plex", { sandbox, token })).toMatchObject([{ icon }]);
});

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

describe("time", () => {
  // Timers may fire a little early; only what must take long is measured, never what should be fast.
  const toleranceMs = 5;

  test("every response comes after the latency", async () => {
    const sandbox = await start({ latencyMs: 50 });
    const ms = await elapsedMs(() => ask(`${connections}5/`, { sandbox }));
    expect(ms).toBeGreaterThanOrEqual(50 - toleranceMs);
  });

  test("with authentik's cost, two workers share the retrieves and a list costs by its rows", async () => {
    const sandbox = await start({ authentikCost: true, release: "2024.8" });
    const { token } = sandbox.tokens.administrator;
    const retrieve = (): Promise<number> => statusOf(`${connections}5/`, { sandbox, token });
    const six = await elapsedMs(() => Promise.all(Array.from({ length: 6 }, retrieve)));
    expect(six).toBeGreaterThanOrEqual(3 * 33 - toleranceMs);
    const list = await elapsedMs(() => statusOf(`${connections}?page_size=100`, { sandbox, token }));
    expect(list).toBeGreaterThanOrEqual(30 + 100 * 2.6 - toleranceMs);
  });
});
