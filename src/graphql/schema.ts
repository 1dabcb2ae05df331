import type { GraphQLSchema } from "graphql";
import { builder } from "./builder.ts";
import { isolateEntities } from "./entities.ts";
import "./scalars.ts";
import "../resources/source/schema.ts";
import "../resources/plex-source-connection/schema.ts";

/** Newest federation that the composers of Apollo, The Guild and Cosmo all accept. */
export const FEDERATION_LINK_URL = "https://specs.apollo.dev/federation/v2.9";

/** The whole graph as a federation subgraph. Each call makes a schema of its own. */
export function createSchema(options: { federationLinkUrl: string }): GraphQLSchema {
  const schema = builder.toSubGraphSchema({ linkUrl: options.federationLinkUrl });
  isolateEntities(schema);
  return schema;
}
