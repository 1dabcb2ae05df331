import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startBefore } from "../support/gateway.ts";

/** Folder of this package, with the slash. */
export const packageFolder = fileURLToPath(new URL("./", import.meta.url));

/** What comes between the gateway and authentik, shortened to the number of a connection where it is one. */
const CONNECTIONS = "/api/v3/sources/user_connections/plex/";

/** Runs a program of this package to its end. @throws {Error} with what it printed, unless it ends with 0 */
export async function run(command: string, args: readonly string[], cwd = packageFolder): Promise<string> {
  return (await promisify(execFile)(command, args, { cwd })).stdout;
}

/**
 * Runs a client of Node's, or another command, against a gateway that nobody has asked before, in front of the fake
 * authentik. Returns what the client printed, and which connections authentik was asked for, in order, or which path else.
 */
export async function runClient(
  args: readonly string[],
  command: readonly string[] = [process.execPath, "programs/clients.mjs"],
): Promise<Record<string, unknown> & { sent?: string[] }> {
  // Without lists, every connection that is asked for is one request.
  const { authentik, gateway, close } = await startBefore({}, { authentik: { list: false } });
  try {
    const [program = "", ...flags] = command;
    const printed = await run(program, [...flags, new URL("/graphql", gateway.url).href, ...args]);
    const asked = authentik.paths().map((path) => path.replace(CONNECTIONS, "").replace(/^(\d+)\/$/, "$1"));
    return { ...JSON.parse(printed), asked };
  } finally {
    await close();
  }
}
