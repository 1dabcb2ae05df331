import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { ask, buildCli } from "./cli.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

beforeAll(buildCli);

/** tsx reads each file of each package, which takes a busy machine a while. */
const timeoutMs = 120_000;

it.each([
  ["start", "SIGTERM"],
  ["start", "SIGINT"],
  ["dev", "SIGINT"],
] as const)(
  "npm run %s leaves nothing running after %s",
  async (script, signal) => {
    const { npm, url } = await startNpm(root, script);
    await expect(ask(await url(0), "{ __typename }")).resolves.toMatchObject({ status: 200 });
    await expectNothingAfter(signal, npm);
  },
  timeoutMs,
);

it(
  "npm run dev runs what the source says now, after each change, and leaves nothing running after SIGTERM",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "authentik-graphql-dev-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const name of ["src", "package.json", "tsconfig.json"])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const { npm, url } = await startNpm(folder, "dev");
    await expect(ask(await url(0), "{ __typename }")).resolves.toMatchObject({ status: 200 });

    const main = join(folder, "src/main.ts");
    writeFileSync(main, `${readFileSync(main, "utf8")}\n// changed\n`);
    await expect(ask(await url(1), "{ __typename }")).resolves.toMatchObject({ status: 200 });
    await expectNothingAfter("SIGTERM", npm);
  },
  timeoutMs,
);

async function expectNothingAfter(signal: "SIGTERM" | "SIGINT", npm: ChildProcess): Promise<void> {
  const processes = descendants(npm.pid ?? 0);
  expect(processes).not.toEqual([]);
  const exited = once(npm, "exit");
  npm.kill(signal);
  await exited;
  await expect.poll(() => processes.filter(runs), { timeout: 30_000 }).toEqual([]);
}

/** Starts a script; `url(n)` resolves with the URL that was announced after n others. */
async function startNpm(
  cwd: string,
  script: string,
): Promise<{ npm: ChildProcess; url: (index: number) => Promise<string> }> {
  const npm = spawn("npm", ["run", "--silent", script], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  onTestFinished(() => {
    for (const pid of [...descendants(npm.pid ?? 0), npm.pid ?? 0].filter(runs)) process.kill(pid, "SIGKILL");
  });
  const urls = (): string[] => [...output.matchAll(/^GraphQL: (http:\S+)$/gm)].map((match) => match[1] ?? "");
  return {
    npm,
    url: async (index) => {
      await expect.poll(() => urls().length, { timeout: 60_000 }).toBeGreaterThan(index);
      return urls()[index] ?? "";
    },
  };
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
