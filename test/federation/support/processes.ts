import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startNode } from "../../process/cli.ts";

/** Folder of this package: its `node_modules` hold the routers and composers. */
export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** Another program that serves HTTP. */
export type ServerProcess = Awaited<ReturnType<typeof startScript>>;

/** Runs a Node.js script until it prints the URL that it answers on. */
export async function startScript(
  argv: readonly string[],
  { cwd = packageFolder, env = {} }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
) {
  const HOME = process.env["HOME"] ?? "";
  const { child, printed, stop } = startNode(argv, { cwd, env: { HOME, NODE_ENV: "production", ...env } });
  const [url] = await printed(/http:\/\/\S+(?=\s)/);
  return { url, pid: child.pid, stop };
}

/** Routers of this package, each with the planner that it uses. */
export const routers = {
  "@apollo/gateway": ["apollo-gateway.mjs"],
  "Hive Gateway": ["hive-gateway.mjs"],
  "Hive Gateway with its native planner": ["hive-gateway.mjs", "--native"],
} as const satisfies Record<string, readonly [script: string, ...args: string[]]>;

export type RouterName = keyof typeof routers;

/** Starts a router over a supergraph; it hands the caller's `Authorization` to every subgraph. */
export async function startRouter(
  name: RouterName,
  supergraphSdl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), "supergraph-"));
  const file = join(folder, "supergraph.graphql");
  await writeFile(file, supergraphSdl);
  const [script, ...args] = routers[name];
  try {
    return await startScript([join("routers", script), file, ...args], { env });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A port that was free a moment ago, for programs that cannot take port 0. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  server.close();
  await once(server, "close");
  return port;
}
