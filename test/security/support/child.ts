import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll } from "vitest";

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: URL;
  readonly child: ChildProcess;
  /** Everything written to standard output and standard error so far. */
  output(): string;
  /** Exit code or signal, once it has ended. */
  readonly ended: Promise<number | string>;
  stop(): Promise<void>;
}

/** Starts the unprotected set-up that attacks are shown to work against. */
export function startPlainYoga(authentikUrl: URL, nodeFlags: readonly string[] = []): Promise<ServerProcess> {
  const script = fileURLToPath(new URL("plain-yoga.mjs", import.meta.url));
  return startServerProcess([...nodeFlags, script, authentikUrl.origin], {
    readUrl: (output) => /^(\d+)\n/.exec(output)?.[1],
  });
}

/** The same for all tests of a file. */
export function usePlainYoga(authentikUrl: () => URL): ServerProcess {
  const plain: Partial<ServerProcess> = {};
  beforeAll(async () => {
    Object.assign(plain, await startPlainYoga(authentikUrl()));
    return plain.stop;
  });
  return plain as ServerProcess; // no test runs before the hook
}

/** Starts Node with these arguments and waits until `readUrl` finds a port or an address in its output. */
export async function startServerProcess(
  nodeArguments: readonly string[],
  {
    readUrl,
    env = {},
  }: { readUrl: (output: string) => string | undefined; env?: Readonly<Record<string, string>> },
): Promise<ServerProcess> {
  const child = spawn(process.execPath, nodeArguments, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", NODE_ENV: "production", ...env },
  });
  let output = "";
  const ended = once(child, "exit").then(([code, signal]: (number | string)[]) => code ?? signal ?? "");
  const address = await new Promise<string>((resolve, reject) => {
    let found: string | undefined;
    const take = (chunk: Buffer): void => {
      output += String(chunk);
      found ??= readUrl(output);
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    void ended.then((reason) => reject(new Error(`the server ended with ${reason}: ${output}`)));
  });
  return {
    url: new URL(/^\d+$/.test(address) ? `http://127.0.0.1:${address}` : address),
    child,
    output: () => output,
    ended,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
