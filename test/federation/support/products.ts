import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { type GraphQLSchema, parse } from "graphql";
import { isolateEntities } from "../../../src/graphql/entities.ts";
import type { Resolvers } from "./subgraph.ts";

const user = {
  email: "support@apollographql.com",
  name: "Jane Smith",
  totalProductsCreated: 1337,
  yearsOfEmployment: 10,
};
const deprecatedProducts = [
  {
    sku: "apollo-federation-v1",
    package: "@apollo/federation-v1",
    reason: "Migrate to Federation V2",
    createdBy: user,
  },
];
const research = [{ study: { caseNumber: "1234", description: "Federation Study" } }];
const shared = { dimensions: { size: "small", weight: 1, unit: "kg" }, createdBy: user, research };
const federation = { sku: "federation", package: "@apollo/federation", variation: { id: "OSS" } };
const studio = { sku: "studio", package: "", variation: { id: "platform" } };
const products = [
  { ...shared, ...federation, id: "apollo-federation" },
  { ...shared, ...studio, id: "apollo-studio" },
];

type Key = object & { __typename?: unknown };

/** The record whose fields are those of the key. */
function find(records: readonly object[], { __typename: _type, ...key }: Key): object | null {
  return records.find((record) => isDeepStrictEqual({ ...record, ...key }, record)) ?? null;
}

const resolvers: Resolvers = {
  Query: {
    product: (_root: unknown, key: Key) => find(products, key),
    deprecatedProduct: (_root: unknown, key: Key) => find(deprecatedProducts, key),
  },
  Product: { __resolveReference: (key: Key) => find(products, key) },
  DeprecatedProduct: { __resolveReference: (key: Key) => find(deprecatedProducts, key) },
  ProductResearch: {
    __resolveReference: ({ study: { caseNumber } }: (typeof research)[number]) =>
      research.find(({ study }) => study.caseNumber === caseNumber),
  },
  User: {
    __resolveReference: (reference: object) => ({ ...user, ...reference }),
    averageProductsCreatedPerYear: (reference: typeof user) =>
      Math.round(reference.totalProductsCreated / reference.yearsOfEmployment),
  },
  Inventory: {
    __resolveReference: (reference: object) => reference,
    deprecatedProducts: () => deprecatedProducts,
  },
};

/** The `products` subgraph that Apollo's compatibility suite prescribes, in the suite's own words. */
export function createProductsSchema(sdlFile: string): GraphQLSchema {
  const schema = buildSubgraphSchema({ typeDefs: parse(readFileSync(sdlFile, "utf8")), resolvers });
  isolateEntities(schema);
  return schema;
}
