/** Who is measured: ours, and the others. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OUR_DIALECT } from "../load/queries.mjs";
import { tailcallBinary, tailcallCommand } from "./tailcall.mjs";

/**
 * @typedef {object} Contender
 * @property {string} name short and unique
 * @property {string} label for the report
 * @property {import("../load/queries.mjs").Dialect} dialect
 * @property {(where: { upstreamUrl: string, port: number }) => { command: string[], env: Record<string, string>, cwd?: string }} launch
 * @property {() => string} version
 * @property {boolean} [bare] answers REST rows, not GraphQL
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** @param {string} packageName one of the benchmark's own dependencies */
function installedVersion(packageName) {
  const file = new URL(`../node_modules/${packageName}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/**
 * Ours as built and as `npm start` runs it, logs and metrics on, with further settings of its environment.
 * @param {string} label
 * @param {Record<string, string>} [settings]
 * @returns {Contender}
 */
export function ours(label, settings = {}) {
  const { version, scripts } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  const args = scripts.start.replace(/^.*\bnode /, "").split(" ");
  return {
    name: "ours",
    label,
    dialect: OUR_DIALECT,
    version: () => version,
    launch: ({ upstreamUrl, port }) => ({
      command: [process.execPath, ...args],
      env: { AUTHENTIK_URL: upstreamUrl, HOST: "127.0.0.1", PORT: String(port), ...settings },
      cwd: root,
    }),
  };
}

/** @returns {Contender} */
function node(name, label, file, packageName, dialect = OUR_DIALECT) {
  return {
    name,
    label,
    dialect,
    version: () => installedVersion(packageName),
    launch: ({ upstreamUrl, port }) => ({
      command: [process.execPath, here(file)],
      env: { UPSTREAM_URL: upstreamUrl, PORT: String(port), NODE_ENV: "production" },
    }),
  };
}

/** @returns {Contender} */
function tailcall(name, label) {
  return {
    name,
    label,
    dialect: { rootField: "plexConnection", idType: "ID!", snake: true },
    version: () => tailcallBinary().version,
    launch: ({ upstreamUrl, port }) => ({
      command: tailcallCommand({ upstreamUrl, port }),
      env: { TAILCALL_LOG_LEVEL: "error", TC_LOG_LEVEL: "error" },
    }),
  };
}

/** Ours as it comes. */
export const OURS = ours("authentik-graphql");

/** @type {readonly Contender[]} */
export const PEERS = [
  { ...node("bare", "bare proxy: node:http + undici, no GraphQL", "bare-proxy.mjs", "undici"), bare: true },
  node("libraries", "the libraries of ours by themselves", "libraries.mjs", "graphql"),
  node("mercurius", "mercurius + jit", "mercurius.mjs", "mercurius"),
  node("naive", "graphql-yoga + DataLoader", "naive-yoga.mjs", "graphql-yoga"),
  tailcall("tailcall", "Tailcall (Rust)"),
  node("hive", "Hive Gateway over OpenAPI", "hive-gateway.mjs", "@graphql-hive/gateway", {
    rootField: "sources_user_connections_plex_retrieve",
    idType: "Int!",
    snake: true,
  }),
];
