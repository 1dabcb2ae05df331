/**
 * The OpenAPI document that Hive Gateway works from: authentik's official one, as its npm package ships it, cut to the
 * operations that are asked for and the schemas that they refer to.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const PATHS = ["/sources/user_connections/plex/", "/core/users/"].flatMap((list) => [list, `${list}{id}/`]);

/**
 * @param {{ serverUrl: string }} options origin of the REST API
 * @returns {Promise<Record<string, any>>}
 */
export async function openapiDocument({ serverUrl }) {
  const file = fileURLToPath(
    import.meta.resolve("@goauthentik/api/package.json").replace(/package\.json$/, "schema.yml"),
  );
  const full = parse(await readFile(file, "utf8"));
  const cut = {
    openapi: full.openapi,
    info: full.info,
    servers: [{ url: `${serverUrl}/api/v3` }],
    paths: Object.fromEntries(PATHS.map((path) => [path, { get: withoutErrors(full.paths[path].get) }])),
    components: {},
  };
  for (
    let pending = references(cut);
    pending.length > 0;
    pending = references(cut).filter((name) => !has(cut, name))
  )
    for (const name of pending) copy(full, cut, name);
  return cut;
}

/** Only what a success looks like: the generic gateways would make union types of the errors. */
function withoutErrors(operation) {
  return { ...operation, security: [], responses: { 200: operation.responses["200"] } };
}

/** @param {unknown} value @returns {string[]} such as "schemas/Source" */
function references(value) {
  const found = JSON.stringify(value).matchAll(/"#\/components\/([^"]+)"/g);
  return [...new Set(Array.from(found, ([, name]) => name))];
}

const has = (document, name) => name.split("/")[1] in (document.components[name.split("/")[0]] ?? {});

function copy(from, to, name) {
  const [kind, key] = name.split("/");
  to.components[kind] ??= {};
  to.components[kind][key] = from.components[kind][key];
}
