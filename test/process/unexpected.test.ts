import { beforeAll, expect, test, vi } from "vitest";
import { ask } from "../support/ask.ts";
import { buildCli, preload, startCli } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

const query = "{ plexConnection(id: 5) { pk } }";
/** Makes the process fail as a bug in it would, when a signal says so. */
const BUGS = preload(`
  const error = () => Object.assign(new Error("the cause"), { headers: { authorization: ["can", "ary"].join("") } });
  process.on("SIGUSR2", () => void Promise.reject(error()));
  process.on("SIGHUP", () => { throw error(); });`);

test("a promise that nobody caught is logged, counted and ends nothing; an exception is logged and ends the process", async () => {
  const cli = startCli(["--port=0"], BUGS);
  const url = await cli.url();
  cli.kill("SIGUSR2");
  await cli.printed(/"level":"error".*the cause.*a promise failed and nobody noticed/);
  expect((await ask(url, query)).status).toBe(200);
  const metrics = await (await fetch(new URL("/metrics", url))).text();
  expect(metrics).toContain("authentik_graphql_unhandled_rejections_total 1\n");

  cli.kill("SIGHUP");
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
  expect((await fetch(new URL("/healthz", url))).status).toBe(200);
  cli.kill("SIGTERM");
  expect(await cli.exited).toBe(0);
});
