import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { connections, startSandbox } from "./start.ts";

// The newest release, which nobody has recorded (see conformance.test.ts for others), by the OpenAPI document of its client.

/** As much of an OpenAPI document as is looked at by name. */
interface OpenApiDocument {
  info: { version: string };
  paths: Record<
    string,
    { get: { responses: { 200: { content: Record<string, { schema: object }> } } } } | undefined
  >;
  components: { schemas: object };
}

/** OpenAPI 3.0 as JSON schema: what may be null says so, and objects have all that is declared and nothing else. */
function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (typeof node !== "object" || node === null) return node;
  const { nullable, ...schema } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, toJsonSchema(value)]),
  );
  const { properties, additionalProperties = false } = schema;
  const closed =
    typeof properties === "object" && properties !== null
      ? // `original` is there for who acts as somebody else only.
        {
          ...schema,
          additionalProperties,
          required: Object.keys(properties).filter((key) => key !== "original"),
        }
      : schema;
  return nullable === true ? { anyOf: [closed, { type: "null" }] } : closed;
}

const manifest = import.meta.resolve("@goauthentik/api/package.json");
const official = parse(readFileSync(new URL("schema.yml", manifest), "utf8")) as OpenApiDocument;
const components = toJsonSchema(official.components);
const ajv = new Ajv({ strict: false, allErrors: true });
// The default export of this CommonJS package is the plug-in itself for Node and a namespace for TypeScript.
(addFormats as unknown as (ajv: Ajv) => void)(ajv);

/** What the body of a response to `GET` violates. */
function violations(path: string, body: unknown): unknown {
  const declared = official.paths[path]?.get.responses[200].content["application/json"]?.schema;
  if (declared === undefined) throw new Error(`${path} is not declared.`);
  const validate = ajv.compile({ ...declared, components });
  validate(body);
  return validate.errors ?? [];
}

test.each([
  [`${connections}{id}/`, [5, 7, 8, 1001].map((pk) => `${connections}${pk}/`)],
  [connections, ["", "?page_size=100&page=2&ordering=-pk", "?source__slug=nope"].map((q) => connections + q)],
  ["/sources/plex/", ["/sources/plex/"]],
  ["/sources/all/", ["/sources/all/"]],
  ["/core/users/{id}/", ["/core/users/42/", "/core/users/53/"]],
  ["/core/users/", ["/core/users/", "/core/users/?search=alice"]],
  ["/core/users/me/", ["/core/users/me/"]],
  ["/admin/version/", ["/admin/version/"]],
])("as the newest release, the sandbox keeps to it: %s", async (operation, asked) => {
  const { ask, release } = await startSandbox();
  expect(official.info.version).toContain(`${release}.`);
  for (const question of asked) {
    const { status, body } = await ask(question);
    expect({ question, status, violations: violations(operation, body) }).toEqual({
      question,
      status: 200,
      violations: [],
    });
  }
});

test("what does not keep to it would be found", async () => {
  const { body } = await (await startSandbox()).ask(`${connections}5/`);
  const { pk, ...rest } = body as { pk: number };
  for (const wrong of [rest, { ...rest, pk: String(pk) }, { ...rest, pk, plex_token: "x" }])
    expect(violations(`${connections}{id}/`, wrong)).toHaveLength(1);
});
