import { once } from "node:events";
import { appendFileSync, cpSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ask, buildCli, type Cli, startProcess } from "./cli.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

beforeAll(buildCli);

// tsx reads each file of each package, which takes a busy machine a while.
vi.setConfig({ testTimeout: 120_000 });

it.each([
  ["start", "SIGTERM"],
  ["start", "SIGINT"],
  ["dev", "SIGINT"],
] as const)("npm run %s leaves nothing running after %s", async (script, signal) => {
  const npm = startNpm(root, script);
  expect((await ask(await npm.url(), "{ __typename }")).status).toBe(200);
  await expectNothingAfter(signal, npm);
});

it("npm run dev runs what the source says now, after each change, and leaves nothing running after SIGTERM", async () => {
  const folder = temporaryFolder();
  for (const name of ["src", "package.json", "tsconfig.json"])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const npm = startNpm(folder, "dev");
  expect((await ask(await npm.url(), "{ __typename }")).status).toBe(200);
  appendFileSync(join(folder, "src/main.ts"), "\n// changed\n");
  const [, url = ""] = await npm.printed(/^GraphQL: [^]*^GraphQL: (http:\S+)$/m);
  expect((await ask(url, "{ __typename }")).status).toBe(200);
  await expectNothingAfter("SIGTERM", npm);
});

async function expectNothingAfter(signal: "SIGTERM" | "SIGINT", { child, kill }: Cli): Promise<void> {
  const processes = descendants(child.pid ?? 0);
  expect(processes).not.toEqual([]);
  const exited = once(child, "exit");
  kill(signal);
  await exited;
  await expect.poll(() => processes.filter(runs), { timeout: 30_000 }).toEqual([]);
}

function startNpm(cwd: string, script: string): Cli {
  const env = { HOME: process.env["HOME"] ?? "", PORT: "0" };
  const npm = startProcess("npm", ["run", "--silent", script], { cwd, env });
  const { pid = 0 } = npm.child;
  onTestFinished(() => {
    for (const left of [...descendants(pid), pid].filter(runs)) process.kill(left, "SIGKILL");
  });
  return npm;
}

/** All that a process has started, and what those have. */
function descendants(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** undefined: it has ended. */
function parentOf(pid: number): number | undefined {
  try {
    // pid (command) state parent …
    const [state, parent] = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop() ?? "").split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function runs(pid: number): boolean {
  return parentOf(pid) !== undefined;
}
