import { type ExecutionResult, GraphQLError, type GraphQLSchema } from "graphql";
import type { GraphQLParams } from "graphql-yoga";
import { isJsonObject } from "../authentik/decoders.ts";
import type { DocumentLimits } from "../graphql/document-limits.ts";
import { createOperations } from "../graphql/operations.ts";
import type { Answer } from "./answer.ts";
import type { RequestHead } from "./request-head.ts";
import { type ServerContext, TRACE_HEADER } from "./server-context.ts";
import type { YogaDoor } from "./yoga-door.ts";

/** How operations are taken in and executed. */
export interface EngineOptions {
  documentLimits: DocumentLimits;
  documentCacheBytes: number;
  introspection: boolean;
  corsOrigins: readonly string[];
  batchLimit: number;
}

/** GraphQL over HTTP, entered at two doors. */
export interface Engine {
  /** Executes one operation; the way for JSON by POST, which needs nothing of yoga's HTTP layer. */
  execute(params: GraphQLParams, context: ServerContext): ExecutionResult | Promise<ExecutionResult>;
  /** Whether a request needs `handle`. */
  needsYoga(request: RequestHead): boolean;
  /** Answers any request with yoga's HTTP layer. */
  handle(request: RequestHead, body: string, context: ServerContext): Promise<Answer>;
  /** Loads what is not needed for the first plain operation; nothing waits for it but who needs it. */
  warmUp(): Promise<void>;
  dispose(): Promise<void>;
}

export function createEngine(schema: GraphQLSchema, options: EngineOptions): Engine {
  const { documentLimits: limits, documentCacheBytes: cacheBytes, introspection } = options;
  const common = { limits, cacheBytes, introspection };
  const operations = createOperations({ ...common, schema, compile: true });
  let loading: Promise<YogaDoor> | null = null;
  const yoga = () => (loading ??= loadYoga());

  function tracingOperations(traced: GraphQLSchema) {
    return createOperations({ ...common, schema: traced, compile: false });
  }

  async function loadYoga(): Promise<YogaDoor> {
    const { createYogaDoor } = await import("./yoga-door.ts");
    return createYogaDoor({ ...options, schema, operations, tracingOperations });
  }

  async function viaYoga(params: GraphQLParams, context: ServerContext): Promise<ExecutionResult> {
    try {
      return await (await yoga()).execute(params, context);
    } catch (error) {
      return resultOf(error);
    }
  }

  return {
    execute(params, context) {
      if (!isPlainOperation(params)) return viaYoga(params, context);
      const { query, variables, operationName } = params;
      try {
        return operations.execute(operations.prepare(query), { operationName, variables, context });
      } catch (error) {
        return resultOf(error);
      }
    },
    needsYoga: ({ method, headers }) =>
      method !== "POST" ||
      headers[TRACE_HEADER] !== undefined ||
      (headers.origin !== undefined && options.corsOrigins.length > 0),
    async handle(request, body, context) {
      return (await yoga()).handle(request, body, context);
    },
    async warmUp() {
      await Promise.all([yoga(), operations.warmUp()]);
    },
    async dispose() {
      if (loading) await (await loading).dispose();
    },
  };
}

/** What yoga's own HTTP layer makes of what its hooks throw. @throws what is no refusal */
function resultOf(error: unknown): ExecutionResult {
  if (error instanceof AggregateError) return { errors: error.errors };
  if (error instanceof GraphQLError) return { errors: [error] };
  throw error;
}

/** An operation that none of yoga's hooks has anything to say about. */
function isPlainOperation(params: GraphQLParams): params is GraphQLParams & { query: string } {
  const { query, variables, operationName, extensions } = params;
  if (typeof query !== "string" || !isAbsent(extensions)) return false;
  if (!isAbsent(variables) && !isJsonObject(variables)) return false;
  if (!isAbsent(operationName) && (typeof operationName !== "string" || operationName === "")) return false;
  for (const name in params) if (!KNOWN_PARAMS.has(name)) return false;
  return true;
}

const KNOWN_PARAMS: ReadonlySet<string> = new Set(["query", "variables", "operationName", "extensions"]);

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
