import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthentik } from "../../../src/authentik/authentik.ts";
import { createGateway, type Gateway } from "../../../src/server.ts";
import { send } from "./compare.ts";

/** A schema behind the gateway's own HTTP edge, with all its protections. */
export interface RunningSubgraph {
  readonly url: string;
  /** The SDL as a router or a registry reads it: by `_service`. */
  sdl(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Mounts any subgraph schema on the gateway's server factory.
 * @param options.authentikUrl where its resolvers ask; by default nothing listens there
 */
export async function startSubgraph(
  schema: Parameters<typeof createGateway>[1]["schema"],
  options: { authentikUrl?: URL } = {},
): Promise<RunningSubgraph> {
  const authentik = createAuthentik({
    url: options.authentikUrl ?? new URL("http://127.0.0.1:9"),
    userAgent: "authentik-graphql-tests",
    concurrency: "auto",
    queueMax: 1_000,
    maxResponseBytes: 5 * 1024 * 1024,
    connectTimeoutMs: 2_000,
    coalesce: true,
    // A directory that fails at single keys and nowhere else is not what lists are for.
    list: false,
    cacheTtlMs: 0,
    cacheMaxBytes: 0,
    retry: true,
  });
  const gateway: Gateway = createGateway(
    {
      // Without an authentik there is nobody to be: peers answer everybody.
      credentials:
        options.authentikUrl === undefined
          ? { mode: "service", authentikToken: "none", gatewayKey: null }
          : { mode: "caller" },
      operationTimeoutMs: 10_000,
      maxBodyBytes: 1024 * 1024,
      maxHeaderCount: 100,
      maxRestCalls: 1_000,
      maxRepresentations: 1_000,
      documentLimits: {
        maxTokens: 15_000,
        maxDepth: 30,
        maxAliases: 1_000,
        maxRootFields: 100,
        maxDirectives: 50,
        maxFragments: 100,
      },
      documentCacheBytes: 10_000_000,
      introspection: true,
      graphiql: false,
      corsOrigins: [],
      allowedHosts: [],
      batchLimit: 0,
      coalesce: true,
      maxOperationsInFlight: 500,
      sandboxToken: null,
    },
    { schema, authentik, onRequest: () => {}, routes: new Map() },
  );
  const server = createServer(gateway.listener);
  // As the product does: longer than routers keep an idle connection.
  server.keepAliveTimeout = 95_000;
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  const url = `http://127.0.0.1:${port}/graphql`;
  return {
    url,
    sdl: async () => {
      const answer = await send(url, { query: "{ _service { sdl } }" }, null);
      return (answer as { data: { _service: { sdl: string } } }).data._service.sdl; // what was asked for
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await gateway.close();
      await authentik.close();
    },
  };
}
