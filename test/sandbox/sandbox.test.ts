import { afterEach, describe, expect, test } from "vitest";
import { SANDBOX_RELEASES } from "../../src/sandbox/releases.ts";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import type { Sandbox, SandboxOptions } from "../../src/sandbox/sandbox.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";

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

describe("the tokens mean what they say", () => {
  test.each(SANDBOX_RELEASES)("in %s", async (release) => {
    const sandbox = await start({ release });
    const { administrator, owner, stranger, expired } = sandbox.tokens;
    const one = `${connections}5/`;
    expect(await statusOf(one, { sandbox, token: administrator.token })).toBe(200);
    expect(await statusOf(one, { sandbox, token: owner.token })).toBe(200);
    expect(await statusOf(one, { sandbox, token: stranger.token })).toBe(404);
    expect(await statusOf(one, { sandbox, token: expired.token })).toBe(403);
    expect(await statusOf("/sources/plex/plex/", { sandbox, token: administrator.token })).toBe(200);
    expect(await statusOf("/sources/plex/plex/", { sandbox, token: owner.token })).toBe(403);
  });

  test("each has a sentence for people", async () => {
    const { tokens } = await start();
    for (const { meaning } of Object.values(tokens)) expect(meaning).toMatch(/^[A-Z].+\.$/);
  });
});

describe("what changed between releases", () => {
  test.each<[SandboxRelease, number, number]>([
    ["2024.12", 404, 403],
    ["2025.2", 200, 500],
    ["2025.4", 200, 500],
    ["2026.8", 200, 500],
  ])("%s: a global permission gives %i, no credentials give %i", async (release, granted, anonymous) => {
    const sandbox = await start({ release });
    expect(await statusOf(`${connections}5/`, { sandbox, token: "token-of-operator" })).toBe(granted);
    expect(await statusOf(`${connections}5/`, { sandbox })).toBe(anonymous);
    expect(await statusOf(connections, { sandbox })).toBe(403);
  });

  test.each<[SandboxRelease, number, number, number]>([
    ["2025.10", 100, 250, 255],
    ["2025.12", 20, 100, 100],
    ["2026.8", 20, 100, 100],
  ])("%s: pages of %i, at most %i of 250 asked for", async (release, usual, most, all) => {
    const sandbox = await start({ release });
    const { token } = sandbox.tokens.administrator;
    const rows = async (query: string): Promise<number> => {
      const { body } = await ask(connections + query, { sandbox, token });
      return (body as { results: unknown[] }).results.length;
    };
    expect(await rows("")).toBe(usual);
    expect(await rows("?page_size=250")).toBe(most);
    expect(await rows("?page_size=1000")).toBe(all);
  });

  test.each<[SandboxRelease, string]>([
    ["2025.2", "Not found."],
    ["2025.4", "No UserPlexSourceConnection matches the given query."],
  ])("%s: what is not there is %j", async (release, detail) => {
    const sandbox = await start({ release });
    const { token } = sandbox.tokens.administrator;
    const { status, body } = await ask(`${connections}404404/`, { sandbox, token });
    expect({ status, body }).toEqual({ status: 404, body: { detail } });
  });

  test.each<[SandboxRelease, unknown]>([
    ["2024.12", { icon: "/media/public/source-icons/cinema.png" }],
    [
      "2025.12",
      {
        icon: "source-icons/cinema.png",
        icon_url: "/files/media/public/source-icons/cinema.png?token=signed-by-the-sandbox",
        icon_themed_urls: null,
      },
    ],
  ])("%s: an uploaded icon", async (release, icons) => {
    const sandbox = await start({ release });
    const { body } = await ask(`${connections}7/`, { sandbox, token: sandbox.tokens.owner.token });
    expect((body as { source_obj: unknown }).source_obj).toMatchObject(icons as object);
  });
});

describe("methods that write", () => {
  test.each(["POST", "PUT", "PATCH", "DELETE"])("%s is refused", async (method) => {
    const sandbox = await start();
    const { token } = sandbox.tokens.administrator;
    const { status, headers, body } = await ask(`${connections}5/`, { sandbox, token, method });
    expect(status).toBe(405);
    expect(headers.get("allow")).toBe("GET, HEAD, OPTIONS");
    expect(body).toEqual({ detail: `Method "${method}" not allowed.` });
  });

  test("are refused to strangers for want of credentials first", async () => {
    const sandbox = await start();
    const { body } = await ask(connections, { sandbox, method: "POST" });
    expect(body).toEqual({ detail: "Authentication credentials were not provided." });
  });
});

describe("beside Plex", () => {
  test("the configuration is shown to everybody", async () => {
    const sandbox = await start();
    const { status, body } = await ask("/root/config/", { sandbox });
    expect(status).toBe(200);
    expect(body).toHaveProperty("capabilities");
  });

  test("health is fine, the start page leads to the login, other pages are not there", async () => {
    const { url } = await start();
    const at = async (path: string): Promise<Response> => fetch(new URL(path, url), { redirect: "manual" });
    expect((await at("/-/health/live/")).status).toBe(200);
    expect((await at("/-/health/ready/")).status).toBe(200);
    expect((await at("/")).headers.get("location")).toBe("/flows/-/default/authentication/?next=/");
    const missing = await at("/nope");
    expect(missing.status).toBe(404);
    expect(await missing.text()).toContain("<h1>Not Found</h1>");
  });
});

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

describe("time", () => {
  // Timers may fire a little early; only what must take long is measured, never what should be fast.
  const toleranceMs = 5;

  test("every answer comes after the latency", async () => {
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
