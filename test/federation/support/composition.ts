import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { printSchema } from "../../../src/graphql/print.ts";
import { testSchema } from "../../support/schema.ts";
import { packageFolder } from "./processes.ts";

export interface Subgraph {
  name: string;
  url: string;
  sdl: string;
}

/** What one composer said of the subgraphs. */
interface Composition {
  errors: string[];
  hints: string[];
  /** Absent where the composer has another format, or failed. */
  supergraphSdl?: string;
}

/** The composers of this package, by the name of their npm package. */
export const COMPOSERS = [
  "@apollo/composition",
  "@theguild/federation-composition",
  "@wundergraph/composition",
] as const;

/** This subgraph. */
export function ours(url = "http://authentik.example/graphql"): Subgraph {
  return { name: "authentik", url, sdl: printSchema(testSchema()) };
}

/** Another one, of `subgraphs/`. */
export async function peer(name: string): Promise<Subgraph> {
  const sdl = await readFile(new URL(`../subgraphs/${name}.graphql`, import.meta.url), "utf8");
  return { name, url: `http://${name}.example/graphql`, sdl };
}

/**
 * Composes the subgraphs with every composer, in a process that knows nothing of ours.
 * `contract` is the schema that clients see who see nothing with the tag.
 */
export async function compose(
  subgraphs: readonly Subgraph[],
  ...tag: readonly string[]
): Promise<Record<(typeof COMPOSERS)[number] | "contract", Composition>> {
  const composing = promisify(execFile)(process.execPath, ["composers.mjs", ...tag], { cwd: packageFolder });
  composing.child.stdin?.end(JSON.stringify(subgraphs));
  return JSON.parse((await composing).stdout);
}

/** The supergraph that Apollo's composer makes of the subgraphs. */
export async function composeSupergraph(subgraphs: readonly Subgraph[]): Promise<string> {
  const { errors, supergraphSdl } = (await compose(subgraphs))["@apollo/composition"];
  if (supergraphSdl === undefined) throw new Error(`the subgraphs do not compose: ${errors.join("; ")}`);
  return supergraphSdl;
}
