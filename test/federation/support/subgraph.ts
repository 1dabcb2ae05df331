import type { GraphQLSchema } from "graphql";
import { startGateway } from "../../support/gateway.ts";
import { send } from "./compare.ts";

/** A schema behind the gateway's own HTTP edge, with all its protections. */
export interface RunningSubgraph {
  readonly url: string;
  /** The SDL as a router or a registry reads it: by `_service`. */
  sdl(): Promise<string>;
  stop(): Promise<void>;
}

/** Nothing listens there: for schemas that never ask authentik. */
const NOWHERE = new URL("http://127.0.0.1:9");

/**
 * Mounts a subgraph schema on the gateway's server factory.
 * @param options.authentikUrl where its resolvers ask, as the caller; without it everybody is answered
 */
export async function startSubgraph(
  schema: GraphQLSchema,
  options: { authentikUrl?: URL } = {},
): Promise<RunningSubgraph> {
  const gateway = await startGateway({
    schema,
    authentikUrl: options.authentikUrl ?? NOWHERE,
    // A directory that fails at single keys and nowhere else is not what lists are for.
    authentik: { list: false },
    gateway: options.authentikUrl
      ? {}
      : { credentials: { mode: "service", authentikToken: () => "unused", gatewayKey: null } },
  });
  const url = new URL("/graphql", gateway.url).href;
  return {
    url,
    sdl: async () => {
      const answer = await send(url, { query: "{ _service { sdl } }" }, null);
      return (answer as { data: { _service: { sdl: string } } }).data._service.sdl; // what was asked for
    },
    stop: () => gateway.close(),
  };
}
