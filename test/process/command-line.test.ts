import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { buildSchema, validateSchema } from "graphql";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { addressesFor } from "../../src/cli.ts";
import { FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import { ask, buildCli, copyBuild, startCli } from "./cli.ts";

const query = "{ plexConnection(id: 5) { identifier user } }";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

describe("commands", () => {
  test("--version prints the package's version", async () => {
    const manifest: { version: string } = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    const cli = startCli(["--version"]);
    expect(await cli.exited).toBe(0);
    expect(cli.stdout()).toBe(`${manifest.version}\n`);
  });

  test("--help prints every option and asks nothing of the environment", async () => {
    const cli = startCli(["--help"], { PORT: "nonsense", NODE_ENV: "production" });
    expect(await cli.exited).toBe(0);
    expect(cli.stdout()).toContain("--operation-timeout-ms, OPERATION_TIMEOUT_MS  [10000 ms]");
    expect(cli.stderr()).toBe("");
  });

  test("schema prints the subgraph's SDL and nothing else", async () => {
    const cli = startCli(["schema"]);
    expect(await cli.exited).toBe(0);
    expect(cli.stdout()).toMatch(/^extend schema\n/);
    expect(cli.stdout()).toContain(FEDERATION_LINK_URL);
    expect(cli.stdout()).toContain("type PlexSourceConnection");
  });

  test("schema --api prints the graph as clients see it", async () => {
    const cli = startCli(["schema", "--api"]);
    expect(await cli.exited).toBe(0);
    const schema = buildSchema(cli.stdout());
    expect(validateSchema(schema)).toEqual([]);
    expect(Object.keys(schema.getQueryType()?.getFields() ?? {})).toContain("plexConnection");
    expect(schema.getType("PlexSourceConnection")?.description).toBeTruthy();
    expect(cli.stdout()).not.toMatch(/_entities|_service|_Any|_Entity|FieldSet|link__|federation|@key|@link/);
  });

  test("health asks the gateway at HOST and PORT, wherever it listens", async () => {
    const serving = startCli(["--port=0", "--host", "::"]);
    const PORT = new URL(await serving.url()).port;
    const hosts = ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost"];
    const asked = hosts.map((HOST) => startCli(["health"], { HOST, PORT, ALLOWED_HOSTS: "gw.example.org" }));
    expect(await Promise.all(asked.map(async ({ exited, stderr }) => [await exited, stderr()]))).toEqual(
      hosts.map(() => [0, ""]),
    );
    serving.kill("SIGINT");
    await serving.exited;
    const health = startCli(["health", "--port", PORT]);
    expect(await health.exited).toBe(1);
    expect(health.stderr()).toContain("ECONNREFUSED");
  });

  test("sandbox starts only the stand-in, says how to use it, and ends when asked to", async () => {
    const cli = startCli(["sandbox", "--release", "2024.2"]);
    const [, url = ""] = await cli.printed(/^Sandbox: (\S+)$/m);
    const answer = await fetch(`${url}/api/v3/sources/user_connections/plex/5/`, {
      headers: { authorization: "Bearer token-of-administrator" },
    });
    expect(await answer.json()).toMatchObject({ pk: 5, plex_token: expect.any(String) });
    expect(cli.stdout()).toContain(`AUTHENTIK_URL=${url} node dist/main.js`);
    cli.kill("SIGTERM");
    expect(await cli.exited).toBe(0);
  });
});

test("what is built needs no package beside it, and has the licences of what is in it", async () => {
  const folder = copyBuild();
  const cli = startCli(["serve", "--port", "0", "--log-format", "pretty"], {}, { folder });
  const url = await cli.url();
  expect((await ask(url, query)).body).toEqual({
    data: { plexConnection: { identifier: "12345678", user: 42 } },
  });
  // Loaded late: yoga's HTTP layer, traces, GraphiQL.
  const [get, traced, page] = await Promise.all([
    fetch(`${url}?query={__typename}`, { headers: { accept: "application/json" } }),
    ask(url, "{ __typename }", { "apollo-federation-include-trace": "ftv1" }),
    fetch(url, { headers: { accept: "text/html" } }),
  ]);
  expect(await get.json()).toEqual({ data: { __typename: "Query" } });
  expect(traced.body).toMatchObject({ extensions: { ftv1: expect.any(String) } });
  const loaded = [...(await page.text()).matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)];
  expect(loaded).toHaveLength(6);
  for (const [, path = ""] of loaded) expect((await fetch(new URL(path, url))).status).toBe(200);
  const licences = readFileSync(`${folder}dist/LICENCES.txt`, "utf8");
  for (const name of ["graphql", "graphql-yoga", "@pothos/core", "dataloader", "undici", "pino", "graphiql"])
    expect(licences).toMatch(new RegExp(`^${name} [0-9.]+ \\([A-Z]`, "m"));
  cli.kill("SIGINT");
  expect(await cli.exited).toBe(0);
});

describe("a wrong configuration", () => {
  test("ends with exit code 2 and every problem at once, on standard error", async () => {
    const cli = startCli(["serve", "--port", "many", "--grphiql"], {
      AUTHENTIK_URL: "id.example.org",
      GATEWAY_KEY: "canary",
    });
    expect(await cli.exited).toBe(2);
    expect(cli.stdout()).toBe("");
    for (const words of ["--port", "--grphiql", "did you mean --graphiql", "AUTHENTIK_URL", "GATEWAY_KEY"]) {
      expect(cli.stderr()).toContain(words);
    }
    expect(cli.stderr()).not.toContain("canary");
  });
});

test("a misspelled variable is warned of before the sandbox stands in", async () => {
  const cli = startCli(["--port=0"], { AUTHENTIK_URl: "https://canary.example.org" });
  await cli.url();
  expect(cli.stderr()).toBe("Warning: AUTHENTIK_URl is not read by anything: did you mean AUTHENTIK_URL?\n");
});

test("a gateway that others are let in to says where, below the line for scripts", async () => {
  const cli = startCli(["--port=0", "--host=0.0.0.0"], { AUTHENTIK_URL: "http://127.0.0.1:9" });
  const url = await cli.url();
  const { port } = new URL(url);
  expect(url).toBe(`http://127.0.0.1:${port}/graphql`);
  cli.kill("SIGINT");
  await cli.exited;
  const urls = addressesFor("0.0.0.0", networkInterfaces()).map(
    (address) => `http://${address}:${port}/graphql`,
  );
  const others = urls.length === 0 ? [] : [`From other machines: ${urls.join(" or ")}`];
  const lines = cli.stdout().trimEnd().split("\n");
  expect(lines.filter((line) => !line.startsWith("{"))).toEqual([`GraphQL: ${url}`, ...others]);
});

describe("serve without AUTHENTIK_URL", () => {
  test("says that a sandbox answers, and the printed request works", async () => {
    const cli = startCli(["--port=0"]);
    const url = await cli.url();
    await cli.printed(/stands in for authentik 2026\.8/);
    expect(cli.stdout()).toContain("AUTHENTIK_URL=https://id.example.org node dist/main.js\n");
    const [, token = ""] = await cli.printed(/-H 'Authorization: (.*?)'/);
    const [, body = ""] = await cli.printed(/-d '(.*)'/);
    const answer = await fetch(url, {
      method: "POST",
      headers: { authorization: token, "content-type": "application/json" },
      body,
    });
    expect(await answer.json()).toMatchObject({ data: { plexConnection: { user: 42 } } });
    const ready = await fetch(url.replace("/graphql", "/readyz"));
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: "ready", authentik: "sandbox", breaker: "closed" },
    ]);
    cli.kill("SIGINT");
    expect(await cli.exited).toBe(0);
  });

  test("passes release and faults on to the sandbox", async () => {
    const cli = startCli(["--port=0", "--faults", "error-500"], { SANDBOX_RELEASE: "2025.4" });
    expect((await ask(await cli.url(), query)).body).toMatchObject({
      errors: [{ extensions: { code: "UPSTREAM_ERROR" } }],
    });
    expect(cli.stdout()).toContain("authentik 2025.4");
  });
});

test("a port that is taken ends it with exit code 1 and a sentence", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const cli = startCli(["--port", String(port)]);
  expect(await cli.exited).toBe(1);
  expect(cli.stderr()).toBe(
    `Port ${port} on 127.0.0.1 is taken by another process: choose one with --port, or 0 for a free one.\n`,
  );
});

test("open access warns at every start", async () => {
  const cli = startCli(["--port=0", "--open-access"], { AUTHENTIK_TOKEN: "token-of-administrator" });
  const url = await cli.url();
  await cli.printed(/whoever reaches this gateway sees what AUTHENTIK_TOKEN sees/);
  expect((await ask(url, query, {})).body).toMatchObject({ data: { plexConnection: { user: 42 } } });
});

test("service mode demands the key and never shows it or the token", async () => {
  const env = {
    AUTHENTIK_TOKEN: "token-of-administrator",
    GATEWAY_KEY: "canary-key-of-the-gateway",
    LOG_LEVEL: "trace",
  };
  const cli = startCli(["--port=0"], env);
  const url = await cli.url();
  await cli.printed(/-H "Authorization: Bearer \$GATEWAY_KEY"/);
  expect((await ask(url, query, {})).body).toMatchObject({
    errors: [{ extensions: { code: "UNAUTHENTICATED" } }],
  });
  expect((await ask(url, query, { authorization: `Bearer ${env.GATEWAY_KEY}` })).body).toMatchObject({
    data: { plexConnection: { user: 42 } },
  });
  cli.kill("SIGINT");
  expect(await cli.exited).toBe(0);
  expect(cli.output()).not.toContain("canary");
});
