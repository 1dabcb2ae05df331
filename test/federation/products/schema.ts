import { isDeepStrictEqual } from "node:util";
import SchemaBuilder from "@pothos/core";
import DirectivesPlugin from "@pothos/plugin-directives";
import FederationPlugin from "@pothos/plugin-federation";
import { DirectiveLocation, GraphQLDirective, type GraphQLSchema, specifiedDirectives } from "graphql";
import { isolateEntities } from "../../../src/graphql/entities.ts";

// The records that the suite expects.
const dimension = { size: "small", weight: 1, unit: "kg" };
const user = {
  email: "support@apollographql.com",
  name: "Jane Smith",
  totalProductsCreated: 1337,
  yearsOfEmployment: 10,
};
type User = typeof user;
const deprecatedProduct = {
  sku: "apollo-federation-v1",
  package: "@apollo/federation-v1",
  reason: "Migrate to Federation V2",
  createdBy: user,
};
const none = null as string | null;
const studies = [{ study: { caseNumber: "1234", description: "Federation Study" }, outcome: none }];
const product = { dimensions: dimension, createdBy: user, notes: none, research: studies };
const products = [
  {
    ...product,
    id: "apollo-federation",
    sku: "federation",
    package: "@apollo/federation",
    variation: { id: "OSS" },
  },
  { ...product, id: "apollo-studio", sku: "studio", package: "", variation: { id: "platform" } },
];
type Product = (typeof products)[number];

interface SchemaTypes {
  DefaultFieldNullability: false;
  Directives: { custom: { locations: "OBJECT"; args: Record<string, never> } };
}

/**
 * The `products` subgraph that Apollo's compatibility suite prescribes, built as the gateway's own schema is.
 * The suite accepts no federation version above 2.3 for it.
 */
export function createProductsSchema(): GraphQLSchema {
  const builder = new SchemaBuilder<SchemaTypes>({
    plugins: [DirectivesPlugin, FederationPlugin],
    defaultFieldNullability: false,
  });

  const variation = builder.objectRef<Product["variation"]>("ProductVariation").implement({
    fields: (t) => ({ id: t.exposeID("id") }),
  });
  const dimensions = builder.objectRef<typeof dimension>("ProductDimension").implement({
    shareable: true,
    fields: (t) => ({
      size: t.exposeString("size", { nullable: true }),
      weight: t.exposeFloat("weight", { nullable: true }),
      unit: t.exposeString("unit", { nullable: true, inaccessible: true }),
    }),
  });
  const study = builder.objectRef<Product["research"][number]["study"]>("CaseStudy").implement({
    fields: (t) => ({
      caseNumber: t.exposeID("caseNumber"),
      description: t.exposeString("description", { nullable: true }),
    }),
  });
  const research = builder.objectRef<Product["research"][number]>("ProductResearch").implement({
    fields: (t) => ({
      study: t.expose("study", { type: study }),
      outcome: t.exposeString("outcome", { nullable: true }),
    }),
  });
  builder.asEntity(research, {
    key: builder.selection<{ study: { caseNumber: string } }>("study { caseNumber }"),
    resolveReference: (reference) =>
      studies.find((item) => item.study.caseNumber === reference.study.caseNumber),
  });

  const userKey = builder.selection<{ email: string }>("email");
  const userRef = builder
    .externalRef("User", userKey, (reference): User | null =>
      reference.email === user.email ? { ...user, ...reference } : null,
    )
    .implement({
      externalFields: (t) => ({
        email: t.id({ nullable: false }),
        totalProductsCreated: t.int({ nullable: true }),
        yearsOfEmployment: t.int({ nullable: false }),
      }),
      fields: (t) => ({
        name: t.exposeString("name", { nullable: true, override: { from: "users" } }),
        averageProductsCreatedPerYear: t.int({
          nullable: true,
          requires: builder.selection<{ totalProductsCreated: number; yearsOfEmployment: number }>(
            "totalProductsCreated yearsOfEmployment",
          ),
          resolve: (parent) => Math.round(parent.totalProductsCreated / parent.yearsOfEmployment),
        }),
      }),
    });

  const deprecated = builder.objectRef<typeof deprecatedProduct>("DeprecatedProduct").implement({
    fields: (t) => ({
      sku: t.exposeString("sku"),
      package: t.exposeString("package"),
      reason: t.exposeString("reason", { nullable: true }),
      createdBy: t.expose("createdBy", { type: userRef, nullable: true }),
    }),
  });
  builder.asEntity(deprecated, {
    key: builder.selection<{ sku: string; package: string }>("sku package"),
    resolveReference: (key) => find([deprecatedProduct], key),
  });

  const productRef = builder.objectRef<Product>("Product").implement({
    directives: { custom: {} },
    fields: (t) => ({
      id: t.exposeID("id"),
      sku: t.exposeString("sku", { nullable: true }),
      package: t.exposeString("package", { nullable: true }),
      variation: t.expose("variation", { type: variation, nullable: true }),
      dimensions: t.expose("dimensions", { type: dimensions, nullable: true }),
      createdBy: t.expose("createdBy", {
        type: userRef.provides<{ totalProductsCreated: number }>("totalProductsCreated"),
        nullable: true,
      }),
      notes: t.exposeString("notes", { nullable: true, tag: "internal" }),
      research: t.expose("research", { type: [research] }),
    }),
  });
  builder.asEntity(productRef, {
    key: [
      builder.selection<{ id: string }>("id"),
      builder.selection<{ sku: string; package: string }>("sku package"),
      builder.selection<{ sku: string; variation: { id: string } }>("sku variation { id }"),
    ],
    resolveReference: (key) => find(products, key),
  });

  const inventory = builder.objectRef<{ id: string }>("Inventory").implement({
    fields: (t) => ({
      id: t.exposeID("id"),
      deprecatedProducts: t.field({ type: [deprecated], resolve: () => [deprecatedProduct] }),
    }),
  });
  builder.asEntity(inventory, {
    key: builder.selection<{ id: string }>("id"),
    interfaceObject: true,
    resolveReference: ({ id }) => ({ id }),
  });

  builder.queryType({
    fields: (t) => ({
      product: t.field({
        type: productRef,
        nullable: true,
        args: { id: t.arg.id({ required: true }) },
        resolve: (_root, key) => find(products, key),
      }),
      deprecatedProduct: t.field({
        type: deprecated,
        nullable: true,
        deprecationReason: "Use product query instead",
        args: { sku: t.arg.string({ required: true }), package: t.arg.string({ required: true }) },
        resolve: (_root, key) => find([deprecatedProduct], key),
      }),
    }),
  });

  const schema = builder.toSubGraphSchema({
    linkUrl: "https://specs.apollo.dev/federation/v2.3",
    composeDirectives: ["@custom"],
    directives: [
      ...specifiedDirectives,
      new GraphQLDirective({ name: "custom", locations: [DirectiveLocation.OBJECT] }),
    ],
    extensions: {
      directives: { link: { url: "https://myspecs.dev/myCustomDirective/v1.0", import: ["@custom"] } },
    },
  });
  isolateEntities(schema);
  return schema;
}

/** The record whose fields are those of the key. */
function find<T extends object>(
  records: readonly T[],
  { __typename: _type, ...key }: object & { __typename?: unknown },
) {
  return records.find((record) => isDeepStrictEqual({ ...record, ...key }, record)) ?? null;
}
