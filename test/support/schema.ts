import type { GraphQLSchema } from "graphql";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";

const schemas = new Map<boolean, GraphQLSchema>();

/** The gateway's schema, made once for all tests of a process: that takes longer than most of them. */
export function testSchema({ mutations = false }: { mutations?: boolean } = {}): GraphQLSchema {
  const schema =
    schemas.get(mutations) ?? createSchema({ federationLinkUrl: FEDERATION_LINK_URL, mutations });
  schemas.set(mutations, schema);
  return schema;
}
