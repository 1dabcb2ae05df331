import { useApolloInlineTrace } from "@graphql-yoga/plugin-apollo-inline-trace";
import { useAPQ } from "@graphql-yoga/plugin-apq";
import { type ExecutionResult, type GraphQLSchema, lexicographicSortSchema } from "graphql";
import { createYoga, type GraphQLParams, type Plugin } from "graphql-yoga";
import { LRUCache } from "lru-cache";
import type { Operations } from "../graphql/operations.ts";
import { presentResult } from "../graphql/present.ts";
import { useOperations } from "../graphql/use-operations.ts";
import { type Answer, negotiate } from "./answer.ts";
import type { RequestHead } from "./request-head.ts";
import { type ServerContext, TRACE_HEADER } from "./server-context.ts";
import { statusOf } from "./status.ts";

/** Bytes of documents that clients registered by hash (automatic persisted queries). */
const PERSISTED_QUERIES_BYTES = 4_000_000;

/** Headers that yoga may see: what it decides by, and no credential. */
const PASSED_HEADERS = [
  "accept",
  "content-type",
  "origin",
  "access-control-request-method",
  "access-control-request-headers",
  TRACE_HEADER,
];

/** Stands for every request by the short way; hooks look at the method only. */
const JSON_POST = new Request("http://gateway/graphql", { method: "POST" });

/** What yoga needs to answer as the short way does. */
export interface YogaDoorOptions {
  schema: GraphQLSchema;
  operations: Operations;
  /** Operations of another schema, in which every resolver is seen. */
  tracingOperations: (schema: GraphQLSchema) => Operations;
  corsOrigins: readonly string[];
  batchLimit: number;
}

/** yoga, for everything that is no plain operation as JSON by POST. */
export interface YogaDoor {
  /** Executes one operation with yoga's hooks, such as persisted queries and checks of the parameters. */
  execute(params: GraphQLParams, context: ServerContext): Promise<ExecutionResult>;
  /** Answers any request with yoga's HTTP layer. */
  handle(request: RequestHead, body: string, context: ServerContext): Promise<Answer>;
  dispose(): Promise<void>;
}

export function createYogaDoor(options: YogaDoorOptions): YogaDoor {
  const plain = createServer(options, { traced: false });
  let traced: ReturnType<typeof createServer> | null = null;
  // Tracing wraps every resolver of its schema, so it gets one of its own, and only when a router asks for it.
  const tracing = () => {
    if (traced) return traced;
    const schema = lexicographicSortSchema(options.schema);
    const operations = options.tracingOperations(schema);
    return (traced = createServer({ ...options, schema, operations }, { traced: true }));
  };

  return {
    async execute(params, context) {
      return singleResult(await plain.getResultForParams({ params, request: JSON_POST }, context));
    },
    async handle(request, body, context) {
      const headers: Record<string, string> = {};
      for (const name of PASSED_HEADERS) {
        const value = request.headers[name];
        if (typeof value === "string") headers[name] = value;
      }
      const server = headers[TRACE_HEADER] === "ftv1" ? tracing() : plain;
      const url = `http://gateway${request.url ?? "/graphql"}`;
      const { method = "GET" } = request;
      const init = { method, headers, body: method === "POST" ? body : null };
      const response = await server.fetch(url, init, context);
      const mediaType = negotiate(request.headers.accept) ?? "application/json";
      return {
        status: response.status,
        mediaType,
        body: await response.text(),
        headers: carriedHeaders(response),
      };
    },
    async dispose() {
      await plain.dispose();
      await traced?.dispose();
    },
  };
}

function createServer(
  { schema, operations, corsOrigins, batchLimit }: YogaDoorOptions,
  { traced }: { traced: boolean },
) {
  return createYoga<ServerContext>({
    schema,
    graphqlEndpoint: "/graphql",
    logging: false,
    graphiql: false,
    landingPage: false,
    multipart: false,
    // The listener has read the body within its limit already.
    maxRequestBodySize: false,
    parserAndValidationCache: false,
    // Every error goes through graphql/errors.ts, which knows the request.
    maskedErrors: false,
    batching: batchLimit > 0 ? { limit: batchLimit } : false,
    cors:
      corsOrigins.length > 0
        ? {
            origin: [...corsOrigins],
            credentials: false,
            methods: ["GET", "POST"],
            allowedHeaders: ["authorization", "content-type", "x-request-id", "apollo-require-preflight"],
            exposedHeaders: ["x-request-id", "retry-after"],
            maxAge: 600,
          }
        : false,
    plugins: [
      useOperations(operations),
      usePersistedQueries(),
      usePresentation(),
      ...(traced ? [usePresentedExecution(), useApolloInlineTrace()] : []),
    ],
  });
}

/** Automatic persisted queries, out of the way of operations that have none. */
function usePersistedQueries(): Plugin<ServerContext> {
  const queries = new LRUCache<string, string>({
    maxSize: PERSISTED_QUERIES_BYTES,
    sizeCalculation: (query, hash) => query.length + hash.length,
  });
  const { onParams } = useAPQ({
    store: { get: (hash) => queries.get(hash), set: (hash, query) => queries.set(hash, query) },
  });
  return {
    onParams(payload) {
      const { query, extensions } = payload.params;
      // What is no text is refused by yoga's own check, which comes after this one.
      const isText = query === undefined || query === null || typeof query === "string";
      return isText && extensions?.["persistedQuery"] ? onParams?.(payload) : undefined;
    },
  };
}

/** Writes every result as the short way does. */
function usePresentation(): Plugin<ServerContext> {
  return {
    onResultProcess(hook) {
      const context = requestContext(hook.serverContext);
      const mediaType = negotiate(hook.request.headers.get("accept") ?? undefined);
      hook.setResultProcessor((result, fetchAPI) => {
        if (mediaType === null) return new fetchAPI.Response(null, { status: 406 });
        const results = Array.isArray(result) ? result : [result];
        const presentations = results.map((one) => {
          const presentation = presentResult(singleResult(one), context);
          for (const code of presentation.codes) context.codes.add(code);
          return presentation;
        });
        const [first] = presentations;
        const status = first && !Array.isArray(result) ? statusOf(first, mediaType) : 200;
        const body = JSON.stringify(
          Array.isArray(result) ? presentations.map((one) => one.result) : first?.result,
        );
        const headers = { ...first?.http?.headers, "content-type": mediaType };
        return new fetchAPI.Response(body, { status, headers });
      }, mediaType ?? "application/json");
    },
  };
}

/** Presents errors before anything else takes them up: a trace must not hold what a client may not see. */
function usePresentedExecution(): Plugin<ServerContext> {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        const single = singleResult(result);
        if (!single.errors) return;
        const { errors, data } = presentResult(single, args.contextValue).result;
        // What was presented has all that a GraphQLError shows; traces read message, path and locations.
        setResult({ ...single, data: data ?? null, errors: Object.assign([], errors) });
      },
    }),
  };
}

/** The context that `handle` gave to yoga, which hands it on without its type. */
function requestContext(context: object): ServerContext {
  if (isServerContext(context)) return context;
  throw new TypeError("the engine was entered without a context");
}

function isServerContext(context: object): context is ServerContext {
  return "requestId" in context && "codes" in context && "onProblem" in context;
}

/** Results of queries and mutations: nothing here streams. */
function singleResult(result: unknown): ExecutionResult {
  if (typeof result === "object" && result !== null && !(Symbol.asyncIterator in result)) return result;
  throw new TypeError("a result must be a single object");
}

function carriedHeaders(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    if (name === "allow" || name === "retry-after" || name.startsWith("access-control-"))
      headers[name] = value;
    if (name === "vary") headers[name] = `Authorization, ${value}`;
  });
  return headers;
}
