import { spawn } from "node:child_process";
import { appendFileSync, cpSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { ask } from "../support/ask.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { buildCli, startProcess } from "./cli.ts";

beforeAll(buildCli);

// tsx reads each file of each package, which takes a busy machine a while.
vi.setConfig({ testTimeout: 120_000 });

// A process is over when nobody has its output open any more: neither npm nor what it has started.
test.each(["SIGTERM", "SIGINT"] as const)("npm start leaves nothing running after %s", async (signal) => {
  const npm = startNpm(".", "start");
  expect((await ask(await npm.url(), "{ __typename }")).status).toBe(200);
  npm.kill(signal);
  await npm.exited;
});

test("npm run dev runs what the source says now, after each change, and leaves nothing running", async () => {
  const folder = temporaryFolder();
  for (const name of ["src", "package.json", "tsconfig.json"])
    cpSync(name, join(folder, name), { recursive: true });
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  const npm = startNpm(folder, "dev");
  expect((await ask(await npm.url(), "{ __typename }")).status).toBe(200);
  appendFileSync(join(folder, "src/main.ts"), "\n// changed\n");
  const [, url = ""] = await npm.printed(/^GraphQL: [^]*^GraphQL: (http:\S+)$/m);
  expect((await ask(new URL(url), "{ __typename }")).status).toBe(200);
  npm.kill("SIGTERM");
  await npm.exited;
});

/** Runs a script of package.json; all that it has started ends with the test. */
function startNpm(cwd: string, script: string) {
  const env = { HOME: process.env["HOME"] ?? "", PORT: "0" };
  const npm = startProcess("npm", ["run", "--silent", script], { cwd, env, detached: true });
  onTestFinished(() => void spawn("kill", ["-KILL", "--", `-${npm.child.pid}`]));
  return npm;
}
