import { readFileSync } from "node:fs";
import { startNode } from "../../process/cli.ts";

const { scripts }: { scripts: { start: string } } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
);

/** Flags of Node's that `npm start` gives. */
const START_FLAGS: readonly string[] = scripts.start.split(" ").filter((word) => word.startsWith("--"));

/** The compiled gateway in a process of its own; call `buildCli` first. */
export async function startGatewayProcess(
  authentikUrl: URL,
  { env, nodeFlags }: { env: Readonly<Record<string, string>>; nodeFlags: readonly string[] },
) {
  const started = startNode([...START_FLAGS, ...nodeFlags, "dist/main.js", "serve"], {
    env: { NODE_ENV: "production", AUTHENTIK_URL: authentikUrl.href, PORT: "0", ...env },
  });
  return { ...started, url: new URL(await started.url()) };
}

export type ServerProcess = Awaited<ReturnType<typeof startGatewayProcess>>;

/** Resident memory of a process in bytes. */
export function residentBytes({ child }: ServerProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
