import { fileURLToPath } from "node:url";
import { beforeAll } from "vitest";
import { startNode } from "../../process/cli.ts";

/** A server in a process of its own. */
export type ServerProcess = Awaited<ReturnType<typeof startServerProcess>>;

/** Starts the unprotected set-up that attacks are shown to work against. */
export function startPlainYoga(authentikUrl: URL, nodeFlags: readonly string[] = []): Promise<ServerProcess> {
  const script = fileURLToPath(new URL("plain-yoga.mjs", import.meta.url));
  return startServerProcess([...nodeFlags, script, authentikUrl.origin], { address: /^(\d+)\n/ });
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

/** Starts Node with these arguments and waits until this pattern finds a port or an address in its output. */
export async function startServerProcess(
  argv: readonly string[],
  { address, env = {} }: { address: RegExp; env?: Readonly<Record<string, string>> },
) {
  const { child, output, stderr, printed, exited, stop } = startNode(argv, {
    env: { NODE_ENV: "production", ...env },
  });
  const [, found = ""] = await printed(address);
  const url = new URL(/^\d+$/.test(found) ? `http://127.0.0.1:${found}` : found);
  return { url, child, output, stderr, ended: exited, stop } as const;
}
