import SchemaBuilder from "@pothos/core";
import DirectivesPlugin from "@pothos/plugin-directives";
import FederationPlugin from "@pothos/plugin-federation";
import { DirectiveLocation, GraphQLDirective, type GraphQLSchema, specifiedDirectives } from "graphql";
import { isolateEntities } from "../../../src/graphql/entities.ts";
import { deprecatedProduct, type dimension, products, studies, type User, user } from "./records.ts";

type Product = (typeof products)[number];

type Key = Record<string, unknown>;

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

  const product = builder.objectRef<Product>("Product").implement({
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
  builder.asEntity(product, {
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
        type: product,
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
function find<T extends object>(records: readonly T[], { __typename: _type, ...key }: Key): T | null {
  const is = (record: T) =>
    Object.entries(key).every(
      ([name, value]) => JSON.stringify(Reflect.get(record, name)) === JSON.stringify(value),
    );
  return records.find(is) ?? null;
}
