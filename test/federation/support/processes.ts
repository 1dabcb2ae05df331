import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startNode } from "../../process/cli.ts";

/** Folder of this package: its `node_modules` hold the routers and composers. */
export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** Runs a Node.js script until it prints the URL that it answers on. */
export async function startScript(
  argv: readonly string[],
  { cwd = packageFolder, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
  announced = /http:\/\/\S+(?=\s)/,
) {
  const HOME = process.env["HOME"] ?? "";
  const { printed, stop } = startNode(argv, { cwd, env: { HOME, NODE_ENV: "production", ...env } });
  const [url] = await printed(announced);
  return { url, stop };
}

/** Routers of this package, each with the planner that it uses. */
export const ROUTERS = ["@apollo/gateway", "Hive Gateway", "Hive Gateway with its native planner"] as const;

/**
 * Starts a router over a supergraph; it hands the caller's `Authorization` to authentik's subgraph: Hive Gateway with the
 * configuration that docs/federation.md shows.
 */
export async function startRouter(
  name: (typeof ROUTERS)[number],
  supergraphSdl: string,
  env: Record<string, string> = {},
) {
  const cwd = await mkdtemp(join(tmpdir(), "supergraph-"));
  await writeFile(join(cwd, "supergraph.graphql"), supergraphSdl);
  await writeFile(join(cwd, "gateway.config.mjs"), documented("// gateway.config.mjs"));
  await symlink(join(packageFolder, "node_modules"), join(cwd, "node_modules"));
  const port = String(await freePort());
  const hive = "node_modules/@graphql-hive/gateway/dist/bin.js";
  const flags = ["--config-path=gateway.config.mjs", "--host=127.0.0.1", `--port=${port}`];
  if (name === "Hive Gateway with its native planner") flags.push("--hive-router-runtime");
  const argv =
    name === "@apollo/gateway"
      ? [join(packageFolder, "apollo-gateway.mjs"), port]
      : [hive, "supergraph", ...flags];
  const { stop } = await startScript(argv, { cwd, env }, new RegExp(`:${port}\\b`));
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    stop: async () => {
      await stop();
      await rm(cwd, { recursive: true });
    },
  };
}

/** The code block of docs/federation.md whose first line is the comment. */
export function documented(comment: string): string {
  const page = readFileSync(new URL("../../../docs/federation.md", import.meta.url), "utf8");
  const found = page.split(/^```.*$/m).find((part) => part.startsWith(`\n${comment}\n`));
  if (found === undefined) throw new Error(`docs/federation.md has no block that begins with ${comment}`);
  return found;
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
