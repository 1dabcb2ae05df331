import { join } from "node:path";
import { packageFolder, runScript } from "./processes.ts";

export interface Subgraph {
  name: string;
  url: string;
  sdl: string;
}

/** What one composer said of the subgraphs. */
export interface Composition {
  errors: string[];
  hints: string[];
  /** Absent where the composer has another format, or failed. */
  supergraphSdl?: string;
}

/** The composers of this package, by the name of their npm package. */
export type Composer =
  "@apollo/composition" | "@theguild/federation-composition" | "@wundergraph/composition";

/** Composes the subgraphs with every composer, in a process that knows nothing of ours. */
export async function compose(subgraphs: readonly Subgraph[]): Promise<Record<Composer, Composition>> {
  return (await runComposers(subgraphs, [])) as Record<Composer, Composition>; // printed by our own script
}

/** What clients of a contract see that leaves out everything with the tag; `supergraphSdl` is their schema. */
export async function composeContract(
  subgraphs: readonly Subgraph[],
  options: { without: string },
): Promise<Composition> {
  const composed = await runComposers(subgraphs, ["--without", options.without]);
  return (composed as { contract: Composition }).contract; // printed by our own script
}

async function runComposers(subgraphs: readonly Subgraph[], args: readonly string[]): Promise<unknown> {
  const ended = await runScript(join(packageFolder, "composers.mjs"), args, {
    input: JSON.stringify(subgraphs),
  });
  if (ended.code !== 0) throw new Error(`the composers failed: ${ended.stderr}`);
  return JSON.parse(ended.stdout);
}

/** The supergraph that Apollo's composer makes of the subgraphs. */
export async function composeSupergraph(subgraphs: readonly Subgraph[]): Promise<string> {
  const { errors, supergraphSdl } = (await compose(subgraphs))["@apollo/composition"];
  if (supergraphSdl === undefined) throw new Error(`the subgraphs do not compose: ${errors.join("; ")}`);
  return supergraphSdl;
}
