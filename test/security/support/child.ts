import { readFileSync } from "node:fs";
import { beforeAll } from "vitest";
import { startNode } from "../../process/cli.ts";

/** A server in a process of its own. */
export type ServerProcess = Awaited<ReturnType<typeof startServerProcess>>;

const { scripts }: { scripts: { start: string } } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
);

/** Flags of Node's that `npm start` gives. */
const START_FLAGS: readonly string[] = scripts.start.split(" ").filter((word) => word.startsWith("--"));

/** The compiled gateway; call `buildCli` first. */
export function startGatewayProcess(
  authentikUrl: URL,
  { env, nodeFlags }: { env: Readonly<Record<string, string>>; nodeFlags: readonly string[] },
): Promise<ServerProcess> {
  const all = { AUTHENTIK_URL: authentikUrl.href, PORT: "0", ...env };
  return startServerProcess([...START_FLAGS, ...nodeFlags, "dist/main.js", "serve"], all);
}

/** The unprotected set-up that attacks are shown to work against. */
export function startPlainYoga(authentikUrl: URL, nodeFlags: readonly string[] = []): Promise<ServerProcess> {
  return startServerProcess([...nodeFlags, "test/security/support/plain-yoga.mjs", authentikUrl.origin]);
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

/** Runs Node with these arguments until it has told where it listens. */
async function startServerProcess(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const started = startNode(argv, { env: { NODE_ENV: "production", ...env } });
  return { ...started, url: new URL(await started.url()) };
}

/** Resident memory of a process in bytes. */
export function residentBytes({ child }: ServerProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
