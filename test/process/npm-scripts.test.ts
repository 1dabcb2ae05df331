import { spawn } from "node:child_process";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { ask } from "../support/ask.ts";
import { buildCli, startProcess } from "./cli.ts";

beforeAll(buildCli);

vi.setConfig({ testTimeout: 120_000 });

// A process is over when nobody has its output open any more: neither npm nor what it has started.
test.each(["SIGTERM", "SIGINT"] as const)("npm start leaves nothing running after %s", async (signal) => {
  const env = { HOME: process.env["HOME"] ?? "", PORT: "0" };
  const npm = startProcess("npm", ["run", "--silent", "start"], { env, detached: true });
  onTestFinished(() => void spawn("kill", ["-KILL", "--", `-${npm.child.pid}`]));
  expect((await ask(await npm.url(), "{ __typename }")).status).toBe(200);
  npm.kill(signal);
  await npm.exited;
});
