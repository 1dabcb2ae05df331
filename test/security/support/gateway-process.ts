import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startServerProcess, type ServerProcess } from "./child.ts";

const { scripts }: { scripts: { start: string } } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
);

/** Flags of Node's that `npm start` gives. */
export const START_FLAGS: readonly string[] = scripts.start
  .split(" ")
  .filter((word) => word.startsWith("--"));

/** The compiled gateway in a process of its own; call `buildCli` first. */
export function startGatewayProcess(
  authentikUrl: URL,
  {
    env = {},
    nodeFlags = START_FLAGS,
  }: { env?: Readonly<Record<string, string>>; nodeFlags?: readonly string[] } = {},
): Promise<ServerProcess> {
  const main = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));
  return startServerProcess([...nodeFlags, main, "serve"], {
    address: /GraphQL: (http:\S+)\/graphql/,
    env: { AUTHENTIK_URL: authentikUrl.href, PORT: "0", ...env },
  });
}

/** Resident memory of a process in bytes; 0 where the system has no `/proc`. */
export function residentBytes({ child }: ServerProcess): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
