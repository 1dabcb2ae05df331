import { beforeAll, expect, test, vi } from "vitest";
import { ask, buildCli, preload, startCli } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

/** Makes the process fail as a bug in it would, when a signal says so. */
const withBug = (bug: string) => preload(`process.on("SIGUSR2", () => { ${bug} })`);

const error =
  'Object.assign(new Error("the cause"), { headers: { authorization: ["Bearer can", "ary"].join("") } })';
const query = "{ plexConnection(id: 5) { pk } }";

test("a promise that nobody caught is logged and counted, and ends nothing", async () => {
  const cli = startCli(["--port=0"], withBug(`void Promise.reject(${error})`));
  const url = await cli.url();
  cli.kill("SIGUSR2");
  await cli.printed(/"level":"error".*a promise failed and nobody noticed/);
  expect((await ask(url, query)).status).toBe(200);
  const metrics = await (await fetch(url.replace("/graphql", "/metrics"))).text();
  expect(metrics).toContain("authentik_graphql_unhandled_rejections_total 1\n");
  expect(cli.output()).toContain("the cause");
  expect(cli.output()).not.toContain("canary");
  cli.kill("SIGINT");
  expect(await cli.exited).toBe(0);
});

test("an exception that nobody caught is logged before the process ends with exit code 1", async () => {
  const cli = startCli(["--port=0"], withBug(`throw ${error}`));
  await cli.url();
  cli.kill("SIGUSR2");
  expect(await cli.exited).toBe(1);
  expect(cli.output()).toMatch(/"level":"fatal".*the cause.*an exception that nobody caught/);
  expect(cli.output()).not.toContain("canary");
});

test("a reader of the log that leaves does not end the process", async () => {
  const cli = startCli(["--port=0"]);
  const url = await cli.url();
  cli.child.stdout.destroy();
  cli.child.stderr.destroy();
  await Promise.all(Array.from({ length: 50 }, () => ask(url, query)));
  expect((await fetch(url.replace("/graphql", "/healthz"))).status).toBe(200);
  cli.kill("SIGTERM");
  expect(await cli.exited).toBe(0);
});
