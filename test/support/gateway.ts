import type { GraphQLSchema } from "graphql";
import { createAuthentik } from "../../src/authentik/client.ts";
import type { AuthentikOptions } from "../../src/authentik/client.ts";
import { DEFAULT_DOCUMENT_LIMITS } from "../../src/graphql/document-limits.ts";
import type { ServerLimits } from "../../src/config/load.ts";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import { createHttpServer } from "../../src/server/http-server.ts";
import { createGateway, type GatewayOptions } from "../../src/server/gateway.ts";
import type { RequestRecord } from "../../src/server/pending-request.ts";

/** The credential that {@link TestGateway.post} sends unless told otherwise. */
export const TOKEN = "Bearer token-of-administrator";

/** An error as a client reads it. */
export interface ClientError {
  message: string;
  path?: (string | number)[];
  locations?: { line: number; column: number }[];
  extensions: { code: string; requestId: string } & Record<string, unknown>;
}

/** What one POST got. `json` is typed loosely on purpose: tests say what they expect. */
export interface GraphQLReply {
  status: number;
  headers: Headers;
  text: string;
  data: Record<string, unknown> | null | undefined;
  errors: ClientError[] | undefined;
  extensions: Record<string, unknown> | undefined;
}

export interface TestGateway {
  /** Base URL; the graph is at `/graphql`. */
  readonly url: URL;
  /** One record for each finished request, in order. */
  readonly records: RequestRecord[];
  post(
    query: string,
    options?: {
      variables?: Record<string, unknown>;
      operationName?: string;
      headers?: Record<string, string>;
      /** `null`: none. */
      authorization?: string | null;
      signal?: AbortSignal;
    },
  ): Promise<GraphQLReply>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  authentikUrl: URL;
  gateway?: Partial<GatewayOptions>;
  authentik?: Partial<AuthentikOptions>;
  schema?: GraphQLSchema;
}

/** The gateway's defaults as tests start from them. */
export const TEST_GATEWAY_OPTIONS: GatewayOptions = {
  credentials: { mode: "caller" },
  operationTimeoutMs: 10_000,
  maxBodyBytes: 1_048_576,
  maxHeaderCount: 100,
  maxRestCalls: 1_000,
  maxRepresentations: 1_000,
  documentLimits: DEFAULT_DOCUMENT_LIMITS,
  documentCacheBytes: 10_000_000,
  maxPersistedQueriesBytes: 4_000_000,
  introspection: true,
  graphiql: false,
  corsOrigins: [],
  allowedHosts: [],
  batchLimit: 0,
  coalesce: true,
  maxOperationsInFlight: 500,
  // A busy machine is no overload of the gateway: what a test asks is answered, however late.
  maxLoopDelayMs: 60_000,
  maxPageSize: 100,
  maxAnswerFields: 50_000,
  maxAnswerErrors: 1_000,
  maxScannedRows: 1_000,
  trustedProxies: 0,
  sandboxToken: null,
};

/** How the gateway reaches authentik in tests, but for where it is. */
export const TEST_AUTHENTIK_OPTIONS: Omit<AuthentikOptions, "url"> = {
  userAgent: "authentik-graphql/test",
  concurrency: "auto",
  queueMax: 10_000,
  maxResponseBytes: 5_242_880,
  connectTimeoutMs: 1_000,
  coalesce: true,
  cacheTtlMs: 0,
  cacheMaxBytes: 1_000_000,
  list: true,
  retry: true,
};

/** The defaults of the listener. */
export const TEST_SERVER_LIMITS: ServerLimits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  socketTimeoutMs: 5_000,
  answerTimeoutMs: 60_000,
  keepAliveTimeoutMs: 95_000,
  maxConnections: 5_000,
};

/** The whole gateway behind a real HTTP listener on a free port. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const records: RequestRecord[] = [];
  const authentik = createAuthentik({
    ...TEST_AUTHENTIK_OPTIONS,
    url: options.authentikUrl,
    ...options.authentik,
  });
  const gateway = createGateway(
    { ...TEST_GATEWAY_OPTIONS, ...options.gateway },
    {
      schema: options.schema ?? createSchema({ federationLinkUrl: FEDERATION_LINK_URL }),
      authentik,
      tracing: null,
      onRequest: (record) => records.push(record),
      routes: new Map(),
    },
  );
  await gateway.warmUp();
  const server = createHttpServer(gateway.listener, TEST_SERVER_LIMITS);
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  const url = new URL(`http://127.0.0.1:${port}`);

  return {
    url,
    records,
    async post(query, { variables, operationName, headers, authorization = TOKEN, signal } = {}) {
      const response = await fetch(new URL("/graphql", url), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(authorization === null ? {} : { authorization }),
          ...headers,
        },
        body: JSON.stringify({ query, variables, operationName }),
        ...(signal ? { signal } : {}),
      });
      const text = await response.text();
      const body: Pick<GraphQLReply, "data" | "errors" | "extensions"> = JSON.parse(text);
      const { data, errors, extensions } = body;
      return { status: response.status, headers: response.headers, text, data, errors, extensions };
    },
    async close() {
      await server.close({ timeoutMs: 0 });
      await gateway.close();
      await authentik.close();
    },
  };
}
