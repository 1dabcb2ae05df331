/** Tailcall: its configuration, and the command that starts its binary. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newerGlibc } from "./newer-glibc.mjs";

const binary = fileURLToPath(
  new URL("../node_modules/@tailcallhq/core-linux-x64-gnu/bin/tailcall", import.meta.url),
);
const glibcFolder = fileURLToPath(new URL("../.cache/glibc", import.meta.url));

/** @param {{ upstreamUrl: string, port: number }} options */
function configuration({ upstreamUrl, port }) {
  return `schema
  @server(port: ${port}, hostname: "127.0.0.1")
  @upstream(allowedHeaders: ["authorization"]) {
  query: Query
}
type Query {
  plexConnection(id: ID!): PlexSourceConnection
    @http(url: "${upstreamUrl}/api/v3/sources/user_connections/plex/{{.args.id}}/")
}
type PlexSourceConnection {
  pk: Int!
  user: Int!
  source_obj: Source!
  identifier: String!
  created: String
  last_updated: String
}
type Source {
  pk: ID!
  name: String!
  slug: String!
  enabled: Boolean!
  authentication_flow: ID
  enrollment_flow: ID
  user_property_mappings: [ID!]
  group_property_mappings: [ID!]
  component: String!
  verbose_name: String!
  verbose_name_plural: String!
  meta_model_name: String!
  policy_engine_mode: String!
  user_matching_mode: String!
  managed: String
  user_path_template: String!
  icon: String
}
`;
}

/** @returns {{ command: string[], version: string }} @throws when the binary cannot run here */
export function tailcallBinary() {
  if (!existsSync(binary)) throw new Error("no binary for this platform");
  for (const command of [() => [binary], loaded]) {
    const words = command();
    const { status, stdout } = spawnSync(words[0], [...words.slice(1), "--version"], { encoding: "utf8" });
    if (status === 0) return { command: words, version: stdout.trim().replace(/^\D*/, "") };
  }
  throw new Error("its binary does not start here");
}

function loaded() {
  const libraries = newerGlibc(glibcFolder);
  return [join(libraries, "ld-linux-x86-64.so.2"), "--library-path", libraries, binary];
}

/** @param {{ upstreamUrl: string, port: number }} options @returns {string[]} */
export function tailcallCommand(options) {
  const file = join(mkdtempSync(join(tmpdir(), "bench-tailcall-")), "config.graphql");
  writeFileSync(file, configuration(options));
  return [...tailcallBinary().command, "start", file];
}
