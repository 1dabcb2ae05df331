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
  getNamedType,
  getNullableType,
} from "graphql";
import { expect, test } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";

const options = { federationLinkUrl: FEDERATION_LINK_URL };
const schema = createSchema({ ...options, mutations: true });

/** Types that federation itself puts into every subgraph. */
const FEDERATION = new Set(["_Entity", "_Service", "_Any", "link__Import", "federation__FieldSet"]);

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type) && !FEDERATION.has(type.name),
);

test("schema.graphql is what the code says", async () => {
  const sdl = printSchema(createSchema(options));
  await expect(sdl).toMatchFileSnapshot("../../schema.graphql");
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

test("every list says how long it is expected to be, itself or through what leads to it", () => {
  const sdl = printSchema(schema);
  const objects = types.filter((type) => isObjectType(type));
  const leadingTo = (type: GraphQLObjectType) =>
    objects.flatMap((object) =>
      Object.values(object.getFields()).filter((field) => getNamedType(field.type) === type),
    );
  for (const type of objects) {
    for (const field of Object.values(type.getFields())) {
      if (!isListType(getNullableType(field.type)) || field.name === "_entities") continue;
      const sized = new RegExp(
        `${field.name}(\\([^)]*\\))?: \\[\\w+!\\]!?[^\\n]* @listSize\\(assumedSize: \\d+\\)`,
      );
      if (sized.test(sdl)) continue;
      const leading = leadingTo(type);
      expect(leading.length, `${type.name}.${field.name}`).toBeGreaterThan(0);
      for (const { name } of leading) {
        const through = `${name}\\([^@]*@[^\\n]*slicingArguments: \\["first"\\], sizedFields: \\[[^\\]]*"${field.name}"`;
        expect(sdl, `${type.name}.${field.name} through ${name}`).toMatch(new RegExp(through));
      }
    }
  }
});

test("what is worked out of other fields names fields that there are", () => {
  for (const type of types.filter((type) => isObjectType(type))) {
    for (const { extensions } of Object.values(type.getFields())) {
      const needs = (extensions["needs"] ?? []) as string[];
      expect(Object.keys(type.getFields())).toEqual(expect.arrayContaining(needs));
    }
  }
});
