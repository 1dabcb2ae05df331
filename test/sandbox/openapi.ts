import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";

/** As much of an OpenAPI document as is looked at by name. */
interface OpenApiDocument {
  info: { version: string };
  paths: Record<string, { get: { responses: { 200: OpenApiResponse } } } | undefined>;
  components: { schemas: Record<string, { properties?: object }> };
}

interface OpenApiResponse {
  content: { "application/json": { schema: object } };
}

/** The components whose bodies carry every declared key; others leave optional keys out. */
const wholeComponents = [
  "UserPlexSourceConnection",
  "PlexSource",
  "Source",
  "User",
  "PartialGroup",
  "UserSelf",
  "Version",
];

/** OpenAPI 3.0 as JSON schema: what may be null says so, and what is not declared is refused. */
function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (typeof node !== "object" || node === null) return node;
  const { nullable, ...schema } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, toJsonSchema(value)]),
  );
  const closed =
    typeof schema["properties"] === "object" && schema["additionalProperties"] === undefined
      ? { ...schema, additionalProperties: false }
      : schema;
  return nullable === true ? { anyOf: [closed, { type: "null" }] } : closed;
}

/** The document of authentik's newest release, as its client package carries it. */
export function readOfficialDocument() {
  const manifest = import.meta.resolve("@goauthentik/api/package.json");
  const document = parse(readFileSync(new URL("schema.yml", manifest), "utf8")) as OpenApiDocument;
  for (const name of wholeComponents) {
    const component = document.components.schemas[name];
    Object.assign(component ?? {}, { required: Object.keys(component?.properties ?? {}) });
  }
  const schemas = toJsonSchema(document.components.schemas);
  const ajv = new Ajv({ strict: false, allErrors: true });
  // The default export of this CommonJS package is the plug-in itself for Node and a namespace for TypeScript.
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);

  return {
    version: document.info.version,
    /** Tells what the body of a response to `GET` violates, in words: stray keys are violations too. */
    violations(path: string, body: unknown): string[] {
      const declared = document.paths[path]?.get.responses[200].content["application/json"].schema;
      if (declared === undefined) throw new Error(`${path} is not declared.`);
      const validate = ajv.compile({ ...declared, components: { schemas } });
      validate(body);
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) => `${path}${instancePath} ${message} ${JSON.stringify(params)}`,
      );
    },
  };
}
