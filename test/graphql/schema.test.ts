import {
  type FieldDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLObjectType,
  isIntrospectionType,
  isListType,
  isObjectType,
  isSpecifiedScalarType,
  isTypeSystemDefinitionNode,
  Kind,
  parse,
  printSchema as printPlainSchema,
  visit,
} from "graphql";
import { expect, test } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { testSchema } from "../support/schema.ts";

const schema = testSchema({ mutations: true });

/** Types that federation itself puts into every subgraph. */
const FEDERATION = new Set(["_Entity", "_Service", "_Any", "link__Import", "federation__FieldSet"]);

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type) && !FEDERATION.has(type.name),
);

test("schema.graphql is what the code says", async () => {
  await expect(printSchema(testSchema())).toMatchFileSnapshot("../../schema.graphql");
});

test("every type, field, argument and enum value has a description", () => {
  const bare: string[] = [];
  visit(parse(printPlainSchema(schema)), {
    enter(node) {
      if (!isTypeSystemDefinitionNode(node) && !/^(Field|InputValue|EnumValue)Definition$/.test(node.kind))
        return undefined;
      if (node.kind === Kind.DIRECTIVE_DEFINITION || node.kind === Kind.SCHEMA_DEFINITION) return false;
      const { name, description } = node as FieldDefinitionNode; // both are in each of these
      if (FEDERATION.has(name.value) || name.value === "_service") return false;
      if (!description) bare.push(name.value);
      return undefined;
    },
  });
  expect(bare).toEqual([]);
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
