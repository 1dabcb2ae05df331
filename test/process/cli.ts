import { execFile, spawn } from "node:child_process";
import { mkdirSync, rmSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished, vi } from "vitest";
import { type FakeAuthentikOptions, startFakeAuthentik } from "../support/fake-authentik.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A running process. */
export type Cli = ReturnType<typeof startProcess>;

/** Does what `npm run build` does, if something changed since the last time; several test files may ask at once. */
export async function buildCli(): Promise<void> {
  const lock = `${root}.tmp/build.lock`;
  mkdirSync(`${root}.tmp`, { recursive: true });
  const takeLock = (): void => {
    // A run that was killed while it compiled leaves the lock behind.
    const { mtimeMs = Date.now() } = statSync(lock, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > 30_000) rmSync(lock, { recursive: true, force: true });
    mkdirSync(lock);
  };
  await vi.waitFor(takeLock, { timeout: 60_000 });
  try {
    await promisify(execFile)(process.execPath, ["scripts/build.mjs"], { cwd: root });
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Runs Node with exactly this environment. */
export function startNode(argv: readonly string[], options?: Parameters<typeof startProcess>[2]): Cli {
  return startProcess(process.execPath, argv, options);
}

/** Runs a program with exactly this environment. */
export function startProcess(
  program: string,
  argv: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string; detached?: boolean } = {},
) {
  const child = spawn(program, argv, {
    cwd: root,
    ...options,
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let isOver = false;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const output = (): string => stdout + stderr;
  const exited = new Promise<number | string>((resolve) => {
    child.once("close", (code, signal) => {
      isOver = true;
      resolve(code ?? signal ?? "unknown");
    });
  });
  const printed = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output());
      if (match !== null) return match;
      if (isOver) throw new Error(`ended without ${String(pattern)}:\n${output()}`);
      await sleep(10);
    }
  };
  return {
    child,
    stdout: (): string => stdout,
    stderr: (): string => stderr,
    /** Both. */
    output,
    /** Resolves with the match once the output has it. */
    printed,
    /** The GraphQL URL, once it is announced. */
    url: async (): Promise<URL> => new URL((await printed(/^GraphQL: (http:\S+)$/m))[1] ?? ""),
    kill: (signal: NodeJS.Signals): void => void child.kill(signal),
    /** Resolves with the exit code, or the signal's name. */
    exited,
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs the built command line; the test's end kills what is left of it. */
export function startCli(argv: readonly string[], env: Record<string, string> = {}): Cli {
  const cli = startNode(["dist/main.js", ...argv], { env });
  onTestFinished(cli.stop);
  return cli;
}

/** Runs it in front of a fake authentik. */
export async function startBefore(
  fake: FakeAuthentikOptions = {},
  argv: readonly string[] = [],
  env: Record<string, string> = {},
) {
  const authentik = await startFakeAuthentik(fake);
  onTestFinished(() => authentik.close());
  const cli = startCli(["--port=0", ...argv], { AUTHENTIK_URL: authentik.url.href, ...env });
  return { authentik, cli, url: await cli.url() };
}

/** The environment of a process that runs this script first. */
export function preload(script: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}
