import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway } from "../support/gateway.ts";

/** Folder of this package, with the slash. */
export const packageFolder = fileURLToPath(new URL("./", import.meta.url));

/** What comes between the gateway and authentik, shortened to the number of a connection where it is one. */
const CONNECTIONS = "/api/v3/sources/user_connections/plex/";

/** What a program of `programs/` printed. */
export interface Outcome {
  one: unknown;
  /** The same operation from a client that has nothing cached. */
  byHash?: unknown;
  siblings: unknown;
  /** Path and code of each error beside the siblings. */
  codes: string[];
  /** Method, parts and status of each request, where the client lets us look. */
  sent?: string[];
}

/** Runs a program of this package to its end. @throws {Error} with what it printed, unless it ends with 0 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd = packageFolder }: { cwd?: string } = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd });
  return stdout;
}

/**
 * Runs a client against a gateway that nobody has asked before, in front of the fake authentik.
 * @param options.command node unless given
 * @returns what the client got, and which connections authentik was asked for, in order, or which path else
 */
export async function runClient(
  args: (url: string) => readonly string[],
  { command = process.execPath }: { command?: string } = {},
): Promise<Outcome & { asked: string[] }> {
  const authentik = await startFakeAuthentik();
  // Without lists, every connection that is asked for is one request.
  const gateway = await startGateway({ authentikUrl: authentik.url, authentik: { list: false } });
  try {
    const printed = await run(command, args(new URL("/graphql", gateway.url).href));
    const outcome = JSON.parse(printed) as Outcome; // printed by our own programs
    const asked = authentik.paths().map((path) => path.replace(CONNECTIONS, "").replace(/^(\d+)\/$/, "$1"));
    return { ...outcome, asked };
  } finally {
    await gateway.close();
    await authentik.close();
  }
}
