import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFolder, startScript, type ServerProcess } from "./processes.ts";

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
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), "supergraph-"));
  const file = join(folder, "supergraph.graphql");
  await writeFile(file, supergraphSdl);
  const [script, ...args] = routers[name];
  try {
    return await startScript(join(packageFolder, "routers", script), [file, ...args], environment);
  } finally {
    await rm(folder, { recursive: true });
  }
}
