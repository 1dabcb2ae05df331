import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** Folder of this package: its `node_modules` hold the routers and composers. */
export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** Another program that serves HTTP. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Runs a Node.js script until it prints the URL that it answers on.
 * @throws {Error} with all that it printed, when it ends first
 */
export async function startScript(
  script: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
  { cwd = packageFolder }: { cwd?: string } = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], NODE_ENV: "production", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await printedUrl(child, script);
  return {
    url,
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function printedUrl(child: ChildProcess, script: string): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      const url = /http:\/\/[^\s]+/.exec(printed)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    child.once("exit", (code) => reject(new Error(`${script} ended with ${code}: ${printed}`)));
    child.once("error", reject);
  });
}

/** What a script that ran to its end printed and returned. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a Node.js script to its end. */
export async function runScript(
  script: string,
  args: readonly string[] = [],
  options: { input?: string; environment?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: packageFolder,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(options.input ?? "");
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: typeof code === "number" ? code : null, stdout, stderr };
}

/** A port that was free a moment ago, for programs that cannot take port 0. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  server.close();
  await once(server, "close");
  return port;
}
