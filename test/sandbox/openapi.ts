import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";

/** The schema of one property. */
export type PropertySchema = Record<string, unknown>;

/** The schema of one component. */
export interface ComponentSchema {
  properties?: Record<string, PropertySchema>;
  required?: readonly string[];
}

/** As much of an OpenAPI document as is looked at by name. */
export interface OpenApiDocument {
  info: { version: string };
  paths: Record<string, { get: { responses: Record<string, OpenApiResponse> } } | undefined>;
  components: {
    schemas: Record<string, ComponentSchema | undefined>;
    responses: Record<string, OpenApiResponse>;
  };
}

type OpenApiResponse = { $ref: string } | { content: { "application/json": { schema: object } } };

/** The document of authentik's newest release, as its client package carries it. */
export function readOfficialDocument(): OpenApiDocument {
  const manifest = import.meta.resolve("@goauthentik/api/package.json");
  return parse(readFileSync(new URL("schema.yml", manifest), "utf8")) as OpenApiDocument;
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

function createAjv(): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: true });
  // The default export of this CommonJS package is the plug-in itself for Node and a namespace for TypeScript.
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  return ajv;
}

/** The components that a schema refers to, directly or not. */
function componentsUnder(schema: object, { components }: OpenApiDocument): Map<string, ComponentSchema> {
  const found = new Map<string, ComponentSchema>();
  const visit = (node: object): void => {
    for (const [, name = ""] of JSON.stringify(node).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      const component = components.schemas[name];
      if (component === undefined) throw new Error(`The document has no ${name}.`);
      if (found.has(name)) continue;
      found.set(name, component);
      visit(component);
    }
  };
  visit(schema);
  return found;
}

function responseSchema(
  { paths, components }: OpenApiDocument,
  { path, status }: { path: string; status: number },
): object {
  const declared = paths[path]?.get.responses[status];
  if (declared === undefined) throw new Error(`${path} declares no ${status}.`);
  const name = "$ref" in declared ? (declared.$ref.split("/").at(-1) ?? "") : "";
  const response = "$ref" in declared ? components.responses[name] : declared;
  if (response === undefined || "$ref" in response)
    throw new Error(`${path} declares nothing for ${status}.`);
  return response.content["application/json"].schema;
}

/** Tells what the body of a response to `GET` violates of its document, in words; nothing where it keeps to it. */
export type FindViolations = (path: string, body: unknown, status?: number) => string[];

/** Checks bodies against one document, strictly: stray keys are violations. */
export function createConformanceCheck(document: OpenApiDocument): FindViolations {
  const ajv = createAjv();
  const compile = (path: string, status: number): ReturnType<typeof ajv.compile> => {
    const schema = responseSchema(document, { path, status });
    const schemas = Object.fromEntries(
      [...componentsUnder(schema, document)].map(([name, component]) => {
        const required = wholeComponents.includes(name) && Object.keys(component.properties ?? {});
        return [name, { ...component, ...(required && { required }) }];
      }),
    );
    return ajv.compile(toJsonSchema({ ...schema, components: { schemas } }) as object);
  };
  const validators = new Map<string, ReturnType<typeof ajv.compile>>();
  return (path, body, status = 200) => {
    const key = `${status} ${path}`;
    const validate = validators.get(key) ?? compile(path, status);
    validators.set(key, validate);
    const isValid = validate(body) === true;
    return (isValid ? [] : (validate.errors ?? [])).map(
      ({ instancePath, message, params }) => `${path}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
}
