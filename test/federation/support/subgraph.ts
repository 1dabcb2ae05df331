import type { buildSubgraphSchema } from "@apollo/subgraph";
import type { GraphQLSchema } from "graphql";
import { startGateway } from "../../support/gateway.ts";

/** By type and field, as @apollo/subgraph takes them. */
export type Resolvers = NonNullable<
  Extract<Parameters<typeof buildSubgraphSchema>[0], { resolvers?: unknown }>["resolvers"]
>;

/** Nothing listens there: for schemas that never ask authentik. */
const NOWHERE = new URL("http://127.0.0.1:9");

/**
 * A schema behind the gateway's own HTTP edge, with all its protections; `sdl` is what a router or a registry reads.
 * @param authentikUrl where its resolvers ask, as the caller; without it everybody is answered
 */
export async function startSubgraph(name: string, schema: GraphQLSchema, authentikUrl?: URL) {
  const gateway = await startGateway({
    schema,
    authentikUrl: authentikUrl ?? NOWHERE,
    // A directory that fails at single keys and nowhere else is not what lists are for.
    authentik: { list: false },
    gateway: authentikUrl
      ? {}
      : { credentials: { mode: "service", authentikToken: () => "unused", gatewayKey: null } },
  });
  const { result } = await gateway.post("{ _service { sdl } }", { authorization: null });
  const { data } = result as { data: { _service: { sdl: string } } }; // what was asked for
  const { href } = new URL("/graphql", gateway.url);
  return { name, url: href, sdl: data._service.sdl, stop: () => gateway.close() };
}
