import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";

/** The official document of each release: our cut of it, and whole for the newest, as npm carries it. */
const documents: Record<SandboxRelease, string> = {
  "2024.2": "2024.2.4.json",
  "2024.6": "2024.6.5.json",
  "2024.8": "2024.8.6.json",
  "2024.12": "2024.12.5.json",
  "2025.2": "2025.2.4.json",
  "2025.4": "2025.4.4.json",
  "2025.8": "2025.8.6.json",
  "2025.10": "2025.10.4.json",
  "2025.12": "2025.12.4.json",
  "2026.8": "@goauthentik/api",
};

/** As much of a document as is looked at by name. */
export interface OpenApiDocument {
  info: { version: string };
  paths: Record<string, { get: { responses: Record<string, OpenApiResponse> } } | undefined>;
  components: {
    schemas: Record<string, { properties?: Record<string, { writeOnly?: boolean }> } | undefined>;
    responses?: Record<string, OpenApiResponse>;
  };
}

type OpenApiResponse = { $ref: string } | { content: { "application/json": { schema: object } } };

/** The official document of one release. */
export function readOfficialDocument(release: SandboxRelease): OpenApiDocument {
  const name = documents[release];
  if (name.endsWith(".json")) {
    const file = new URL(`../fixtures/openapi/${name}`, import.meta.url);
    return JSON.parse(readFileSync(file, "utf8")) as OpenApiDocument;
  }
  const manifest = import.meta.resolve(`${name}/package.json`);
  return parse(readFileSync(new URL("schema.yml", manifest), "utf8")) as OpenApiDocument;
}

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

/** The keys that a schema declares for answers, in its order. */
export function declaredKeys({ components }: OpenApiDocument, schema: string): string[] {
  const properties = components.schemas[schema]?.properties ?? {};
  return Object.keys(properties).filter((key) => properties[key]?.writeOnly !== true);
}

/** Tells what an answer of `GET` violates of its document, in words; nothing where it keeps to it. */
export type FindViolations = (path: string, body: unknown, status?: number) => string[];

/** Checks answers against one document, strictly: stray keys are violations. */
export function createConformanceCheck({ paths, components }: OpenApiDocument): FindViolations {
  const ajv = new Ajv({ strict: false, allErrors: true });
  // The default export of this CommonJS package is the plug-in itself for Node and a namespace for TypeScript.
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  ajv.addSchema({ $id: "authentik", components: toJsonSchema({ schemas: components.schemas }) });
  const schemaOf = (path: string, status: number): object => {
    const declared = paths[path]?.get.responses[status];
    if (declared === undefined) throw new Error(`${path} declares no ${status}.`);
    const response =
      "$ref" in declared ? components.responses?.[declared.$ref.split("/").at(-1) ?? ""] : declared;
    if (response === undefined || "$ref" in response)
      throw new Error(`${path} declares nothing for ${status}.`);
    const json = JSON.stringify(toJsonSchema(response.content["application/json"].schema));
    return JSON.parse(json.replaceAll('"#/', '"authentik#/')) as object;
  };
  const validators = new Map<string, ReturnType<typeof ajv.compile>>();
  return (path, body, status = 200) => {
    const key = `${status} ${path}`;
    const validate = validators.get(key) ?? ajv.compile(schemaOf(path, status));
    validators.set(key, validate);
    const isValid = validate(body) === true;
    return (isValid ? [] : (validate.errors ?? [])).map(
      ({ instancePath, message }) => `${instancePath} ${message}`,
    );
  };
}
