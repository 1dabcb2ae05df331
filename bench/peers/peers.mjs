/** Who is measured: ours in its variants, and the others. */
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
 * Ours as `npm start` runs it, with further settings of its environment.
 * @param {string} name
 * @param {string} label
 * @param {Record<string, string>} [settings]
 * @returns {Contender}
 */
export function ours(name, label, settings = {}) {
  const { version, scripts } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  const [, ...args] = scripts.start.split(" ");
  return {
    name,
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
function tailcall(name, label, dedupe) {
  return {
    name,
    label,
    dialect: { rootField: "plexConnection", idType: "ID!", snake: true },
    version: () => tailcallBinary().version,
    launch: ({ upstreamUrl, port }) => ({
      command: tailcallCommand({ upstreamUrl, port, dedupe }),
      env: { TAILCALL_LOG_LEVEL: "error", TC_LOG_LEVEL: "error" },
    }),
  };
}

/** Ours with everything on, as it comes. */
export const OURS = ours("ours", "authentik-graphql");
/** Ours without sharing anything between operations. */
export const OURS_ALONE = ours("ours-alone", "authentik-graphql, no coalescing", { COALESCE: "false" });
/** Ours without sharing and without lists: one retrieve for each id, like the others. */
export const OURS_PLAIN = ours("ours-plain", "authentik-graphql, no coalescing, no lists", {
  COALESCE: "false",
  LIST_STRATEGY: "off",
});

/** @type {readonly Contender[]} */
export const PEERS = [
  { ...node("bare", "bare proxy: node:http + undici, no GraphQL", "bare-proxy.mjs", "undici"), bare: true },
  node("naive", "graphql-yoga + Pothos + DataLoader", "naive-yoga.mjs", "graphql-yoga"),
  tailcall("tailcall", "Tailcall (Rust)", false),
  tailcall("tailcall-dedupe", "Tailcall (Rust) with dedupe", true),
  node("mercurius", "mercurius + jit", "mercurius.mjs", "mercurius"),
  node("apollo", "Apollo Server + RESTDataSource", "apollo-server.mjs", "@apollo/server"),
  node("openapi", "openapi-to-graphql", "openapi-to-graphql.mjs", "openapi-to-graphql", {
    rootField: "userPlexSourceConnection",
    idType: "Int!",
    snake: true,
  }),
  node("hive", "Hive Gateway over OpenAPI", "hive-gateway.mjs", "@graphql-hive/gateway", {
    rootField: "sources_user_connections_plex_retrieve",
    idType: "Int!",
    snake: true,
  }),
];
