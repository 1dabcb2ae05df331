import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { buildSchema, validateSchema } from "graphql";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { addressesFor } from "../../src/cli.ts";
import { ask } from "../support/ask.ts";
import { buildCli, startCli } from "./cli.ts";

const main = resolve("dist/main.js");

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

/** Runs a command that ends by itself. Resolves with its exit code and what it printed. */
async function ended(argv: readonly string[], env: Record<string, string> = {}) {
  const { exited, stdout, stderr } = startCli(argv, env);
  return { code: await exited, stdout: stdout(), stderr: stderr() };
}

describe("commands", () => {
  test("--version and --help ask nothing of the environment", async () => {
    const env = { PORT: "nonsense", NODE_ENV: "production" };
    const { version }: { version: string } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(await ended(["--version"], env)).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const { code, stdout } = await ended(["--help"], env);
    expect(code).toBe(0);
    expect(stdout).toContain("--operation-timeout-ms, OPERATION_TIMEOUT_MS  [10000 ms]");
    expect(stdout).toContain("GATEWAY_KEY (only in the environment)");
  });

  test("schema prints the subgraph's SDL, with --api the graph as clients see it, and nothing else", async () => {
    const sdl = readFileSync("schema.graphql", "utf8");
    expect(await ended(["schema"])).toEqual({ code: 0, stdout: sdl, stderr: "" });
    const { code, stdout } = await ended(["schema", "--api"]);
    const schema = buildSchema(stdout);
    expect([code, validateSchema(schema)]).toEqual([0, []]);
    expect(schema.getType("PlexSourceConnection")?.description).toBeTruthy();
    expect(stdout).not.toMatch(/_entities|_service|_Any|_Entity|FieldSet|link__|federation|@key|@link/);
  });

  test("health asks the gateway at HOST and PORT, wherever it listens; that one says where others reach it", async () => {
    const serving = startCli(["--port=0", "--host", "::"], { AUTHENTIK_URL: "http://127.0.0.1:9" });
    const url = await serving.url();
    const { port: PORT } = url;
    const hosts = ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost"];
    const asked = hosts.map((HOST) => ended(["health"], { HOST, PORT, ALLOWED_HOSTS: "gw.example.org" }));
    for (const health of await Promise.all(asked)) expect(health).toMatchObject({ code: 0, stderr: "" });

    serving.kill("SIGINT");
    await serving.exited;
    const stderr: unknown = expect.stringContaining("ECONNREFUSED");
    expect(await ended(["health", "--port", PORT])).toMatchObject({ code: 1, stderr });
    for (const flag of ["--host=%", "--host=:::", "--host=fe80::1%lo", "--port=0"]) {
      const health = await ended(["health", flag]);
      expect(health.code).toBeGreaterThan(0);
      expect(health.stderr).not.toMatch(/ {4}at |:0\//);
    }

    const reached = addressesFor("::").map((host) => host.replace(/^.*:.*$/, "[$&]"));
    const others = reached.map((host) => `http://${host}:${PORT}/graphql`).join(" or ");
    // The line for scripts comes first.
    const banner = `GraphQL: ${url.href}\n${others && `From other machines: ${others}\n`}`;
    expect(serving.stdout().replaceAll(/^\{.*\n/gm, "")).toBe(banner);
  });

  test("sandbox starts only the stand-in, says how to use it, and ends when asked to", async () => {
    const cli = startCli(["sandbox", "--release", "2024.2"]);
    const [, url = ""] = await cli.printed(/^Sandbox: (\S+)$/m);
    const headers = { authorization: "Bearer token-of-administrator" };
    const answer = await fetch(`${url}/api/v3/sources/user_connections/plex/5/`, { headers });
    expect(await answer.json()).toMatchObject({ pk: 5, plex_token: expect.any(String) });
    expect(cli.stdout()).toContain(`AUTHENTIK_URL=${url} node ${main}`);
    cli.kill("SIGTERM");
    expect(await cli.exited).toBe(0);
  });
});

describe("what is wrong is said on standard error:", () => {
  test("a configuration, every problem of it at once, with exit code 2", async () => {
    const env = { AUTHENTIK_URL: "id.example.org", GATEWAY_KEY: "canary" };
    const { stderr, ...rest } = await ended(["serve", "--port", "many", "--grphiql"], env);
    expect(rest).toEqual({ code: 2, stdout: "" });
    for (const words of ["--port", "did you mean --graphiql", "AUTHENTIK_URL", "GATEWAY_KEY"])
      expect(stderr).toContain(words);
    expect(stderr).not.toContain("canary");
  });

  test("a port that is taken, with exit code 1", async () => {
    const { port } = await startCli(["--port=0"]).url();
    expect(await ended(["--port", port])).toMatchObject({
      code: 1,
      stderr: `Port ${port} on 127.0.0.1 is taken by another process: choose one with --port, or 0 for a free one.\n`,
    });
  });
});

describe("serve without AUTHENTIK_URL", () => {
  test("says that a sandbox answers, and what may have been misspelled; the printed request works", async () => {
    const cli = startCli(["--port=0"], { AUTHENTIK_URl: "https://canary.example.org" });
    const url = await cli.url();
    await cli.printed(/stands in for authentik 2026\.8/);
    expect(cli.stderr()).toBe(
      "Warning: AUTHENTIK_URl is not read by anything: did you mean AUTHENTIK_URL?\n",
    );
    expect(cli.stdout()).toContain(`AUTHENTIK_URL=https://id.example.org node ${main}\n`);
    const [, authorization = ""] = await cli.printed(/-H 'Authorization: (.*?)'/);
    const [, body = ""] = await cli.printed(/-d '(.*)'/);
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body });
    expect(await answer.json()).toMatchObject({ data: { plexConnection: { user: 42 } } });
    const ready = await fetch(new URL("/readyz", url));
    const known = { status: "ready", authentik: "sandbox", breaker: "closed" };
    expect([ready.status, await ready.json()]).toEqual([200, known]);
  });

  test("with a token of its own and open access, warns at every start, and logs nothing less than LOG_LEVEL", async () => {
    const env = { AUTHENTIK_TOKEN: "token-of-administrator", LOG_LEVEL: "warn" };
    const cli = startCli(["--port=0", "--open-access"], env);
    const url = await cli.url();
    await cli.printed(/^Warning: OPEN_ACCESS: whoever reaches this gateway sees what AUTHENTIK_TOKEN sees$/m);
    const { data } = await ask(url, "{ plexConnection(id: 5) { user } }", { authorization: null });
    expect(data).toEqual({ plexConnection: { user: 42 } });
    cli.kill("SIGINT");
    await cli.exited;
    expect(cli.stdout()).not.toContain('"level"');
  });
});
