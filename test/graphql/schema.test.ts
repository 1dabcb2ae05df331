import { readFile } from "node:fs/promises";
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  type GraphQLObjectType,
  isListType,
  isNonNullType,
} from "graphql";
import { expect, test } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";

const schema = createSchema({ federationLinkUrl: FEDERATION_LINK_URL });

/** Types that federation itself puts into every subgraph. */
const FEDERATION = new Set(["_Entity", "_Service", "_Any", "link__Import", "federation__FieldSet"]);

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type) && !FEDERATION.has(type.name),
);

test("schema.graphql is what the code says", async () => {
  await expect(printSchema(schema)).toMatchFileSnapshot("../../schema.graphql");
  expect(await readFile(new URL("../../schema.graphql", import.meta.url), "utf8")).toBe(printSchema(schema));
});

test("every type, field, argument and enum value has a description", () => {
  const bare: string[] = [];
  for (const type of types) {
    if (!type.description) bare.push(type.name);
    for (const [name, description] of partsOf(type)) if (!description) bare.push(name);
  }
  expect(bare.filter((name) => !name.startsWith("Query._service"))).toEqual([]);
});

function partsOf(type: GraphQLNamedType): [string, string | null | undefined][] {
  const parts: [string, string | null | undefined][] = [];
  if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      parts.push([`${type.name}.${field.name}`, field.description]);
      if ("args" in field) {
        for (const arg of field.args)
          parts.push([`${type.name}.${field.name}(${arg.name}:)`, arg.description]);
      }
    }
  }
  if (isEnumType(type))
    for (const value of type.getValues()) parts.push([`${type.name}.${value.name}`, value.description]);
  return parts;
}

test("every scalar names its specification", () => {
  const scalars = types.filter((type) => isScalarType(type));
  expect(scalars.map(({ name }) => name).sort()).toEqual(["DateTime", "UUID"]);
  for (const scalar of scalars) expect(scalar.specifiedByURL).toMatch(/^https:\/\//);
});

test("every list says how long it is expected to be", () => {
  const sdl = printSchema(schema);
  for (const type of types.filter((type) => isObjectType(type))) {
    for (const field of Object.values(type.getFields())) {
      const named = isNonNullType(field.type) ? field.type.ofType : field.type;
      if (!isListType(named) || field.name === "_entities") continue;
      expect(sdl).toMatch(new RegExp(`${field.name}: \\[\\w+!\\]!? @listSize\\(assumedSize: \\d+\\)`));
    }
  }
});

test("every entity can be resolved by each of its keys", () => {
  const entities = types.filter(
    (type): type is GraphQLObjectType => isObjectType(type) && /@key/.test(printed(type.name)),
  );
  expect(entities.map(({ name }) => name).sort()).toEqual(["PlexSourceConnection", "Source"]);
  for (const { extensions } of entities) {
    expect(extensions).toHaveProperty("apollo.subgraph.resolveReference", expect.any(Function));
  }
});

function printed(typename: string): string {
  return new RegExp(`^type ${typename}\\b[^{]*{`, "m").exec(printSchema(schema))?.[0] ?? "";
}
