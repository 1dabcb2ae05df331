import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";

/** As much of an OpenAPI document as is looked at by name. */
interface OpenApiDocument {
  info: { version: string };
  paths: Record<string, { get: { responses: Record<string, OpenApiResponse> } } | undefined>;
  components: {
    schemas: Record<string, { properties?: object }>;
    responses: Record<string, OpenApiResponse>;
  };
}

type OpenApiResponse = { $ref: string } | { content: { "application/json": { schema: object } } };

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

  const compile = (path: string, status: number): ValidateFunction => {
    const declared = document.paths[path]?.get.responses[status];
    if (declared === undefined) throw new Error(`${path} declares no ${status}.`);
    const name = "$ref" in declared ? (declared.$ref.split("/").at(-1) ?? "") : "";
    const response = "$ref" in declared ? document.components.responses[name] : declared;
    if (response === undefined || "$ref" in response) throw new Error(`There is no response ${name}.`);
    return ajv.compile({ ...response.content["application/json"].schema, components: { schemas } });
  };

  return {
    version: document.info.version,
    /** Tells what the body of a response to `GET` violates, in words: stray keys are violations too. */
    violations(path: string, body: unknown, status = 200): string[] {
      const validate = compile(path, status);
      validate(body);
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) => `${path}${instancePath} ${message} ${JSON.stringify(params)}`,
      );
    },
  };
}
