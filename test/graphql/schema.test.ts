import {
  type FieldDefinitionNode,
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
