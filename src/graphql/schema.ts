import { GraphQLSchema } from "graphql";
import { limitAnswers } from "./answer-limits.ts";
import { builder } from "./builder.ts";
import { isolateEntities } from "./entities.ts";
import "./scalars.ts";
import "../resources/source/schema.ts";
import "../resources/authentik-user/schema.ts";
import "../resources/plex-source-connection/schema.ts";
import "../resources/plex-source-connection/schema-lists.ts";
import "../resources/plex-source-connection/schema-delete.ts";
import "../resources/plex-account/schema.ts";

/** Newest federation that the composers of Apollo, The Guild and Cosmo all accept. */
export const FEDERATION_LINK_URL = "https://specs.apollo.dev/federation/v2.9";

/**
 * The whole graph as a federation subgraph. Each call makes a schema of its own.
 * @param options.mutations whether changes are in it. Default false
 */
export function createSchema(options: { federationLinkUrl: string; mutations?: boolean }): GraphQLSchema {
  const all = builder.toSubGraphSchema({ linkUrl: options.federationLinkUrl });
  const schema =
    options.mutations === true ? all : new GraphQLSchema({ ...all.toConfig(), mutation: null, types: [] });
  // Printed once somebody asks for it: that, and what it takes, would be a fifth of a start. From then on no promise, so
  // that results with it are kept.
  let sdl: string | Promise<string> | undefined;
  const service = schema.getQueryType()?.getFields()["_service"];
  if (service) {
    service.resolve = () => {
      sdl ??= import("./print.ts").then(({ printSchema }) => (sdl = printSchema(schema).trimEnd()));
      return { sdl };
    };
  }
  isolateEntities(schema);
  limitAnswers(schema);
  return schema;
}
