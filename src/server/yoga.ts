import { Trace } from "@apollo/usage-reporting-protobuf";
import { useApolloInstrumentation } from "@graphql-yoga/plugin-apollo-inline-trace";
import {
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  lexicographicSortSchema,
} from "graphql";
import { createYoga, type GraphQLParams, type Plugin } from "graphql-yoga";
import { isJsonObject, type JsonObject } from "../authentik/decoders.ts";
import { clientError } from "../graphql/errors.ts";
import type { Executor } from "../graphql/execute.ts";
import { formatResult, textOf } from "../graphql/format.ts";
import { findOperation, type PreparedDocument } from "../graphql/prepare.ts";
import { usePersistedQueries } from "./persisted-queries.ts";
import { checkParams, type ParsedParams, type RequestParams } from "./request-params.ts";
import { type GraphQLResponse, type ResponseMediaType, statusOf } from "./graphql-response.ts";
import type { ServerContext } from "./server-context.ts";

/** Routers ask for a trace of the operation with it. */
export const TRACE_HEADER = "apollo-federation-include-trace";

/** A request as yoga gets it: read, parsed and guarded already. */
export interface YogaRequest {
  method: "GET" | "POST";
  params: ParsedParams;
  mediaType: ResponseMediaType;
  /** Value of {@link TRACE_HEADER}. */
  trace: string | undefined;
}

/** What yoga needs to answer as the fast path does. */
export interface YogaOptions {
  schema: GraphQLSchema;
  /** Executors share nothing but their code; traces need one of their own, since they wrap every resolver. */
  createExecutor: (schema: GraphQLSchema) => Executor;
  executor: Executor;
  batchLimit: number;
  /** Bytes of documents that clients registered by hash. */
  maxPersistedQueriesBytes: number;
}

/** What one request's context has besides. */
interface YogaContext extends ServerContext {
  yogaRequest: YogaRequest;
}

/** yoga, for batches, persisted queries and traces. */
export interface YogaServer {
  handle(request: YogaRequest, context: ServerContext): Promise<GraphQLResponse>;
  dispose(): Promise<void>;
}

export function createYogaServer(options: YogaOptions): YogaServer {
  const persisted = usePersistedQueries(options.executor, { maxBytes: options.maxPersistedQueriesBytes });
  const create = (schema: GraphQLSchema, executor: Executor, tracing: Plugin<YogaContext>[]) =>
    createYoga<YogaContext>({
      schema,
      graphqlEndpoint: "/graphql",
      logging: false,
      graphiql: false,
      landingPage: false,
      multipart: false,
      // The server has read the body within its limit already, and answers other origins itself.
      maxRequestBodySize: false,
      cors: false,
      parserAndValidationCache: false,
      // Every error goes through graphql/errors.ts, which knows the request.
      maskedErrors: false,
      batching: options.batchLimit > 0 ? { limit: options.batchLimit } : false,
      plugins: [
        useRequestParams(options.batchLimit),
        persisted,
        useExecutor(executor),
        useFormat(),
        ...tracing,
      ],
    });
  const plain = create(options.schema, options.executor, []);
  let traced: typeof plain | null = null;
  const tracing = () => {
    if (traced) return traced;
    const schema = lexicographicSortSchema(options.schema);
    traced = create(schema, options.createExecutor(schema), [useFormattedErrors(), ...useInlineTrace()]);
    return traced;
  };

  return {
    async handle(request, context) {
      const { method, mediaType, trace } = request;
      const server = trace === "ftv1" ? tracing() : plain;
      const headers = { accept: mediaType, "content-type": "application/json" };
      const init = {
        method,
        headers: trace === undefined ? headers : { ...headers, [TRACE_HEADER]: trace },
        // The parameters come from the context; yoga wants to see that there is a body.
        body: method === "POST" ? "{}" : null,
      };
      const response = await server.fetch("http://gateway/graphql", init, {
        ...context,
        yogaRequest: request,
      });
      const allow = response.headers.get("allow");
      return {
        status: response.status,
        mediaType,
        body: await response.text(),
        ...(allow !== null && { headers: ["Allow", allow] }),
      };
    },
    async dispose() {
      await plain.dispose();
      await traced?.dispose();
    },
  };
}

/** Takes the parameters as the server parsed them, and checks them as the fast path does. */
function useRequestParams(batchLimit: number): Plugin<YogaContext> {
  return {
    onRequestParse({ serverContext, setRequestParser }) {
      const { params } = yogaRequestOf(serverContext);
      setRequestParser(() => {
        if (params instanceof Error) throw params;
        if (!Array.isArray(params)) return Promise.resolve(asObject(params));
        checkBatch(params, batchLimit);
        return Promise.resolve(params.map(asObject));
      });
    },
    onParams({ params, setParams, setResult }) {
      try {
        setParams(withoutUndefined(checkParams(params)));
      } catch (error) {
        setResult({ errors: errorsOf(error) });
      }
    },
  };
}

function withoutUndefined({ query, operationName, variables, extensions }: RequestParams): GraphQLParams {
  return {
    ...(query !== undefined && { query }),
    ...(operationName !== undefined && { operationName }),
    ...(variables && { variables }),
    ...(extensions && { extensions }),
  };
}

/** What is no object says nothing: onParams above refuses it by itself. */
function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function checkBatch({ length }: readonly unknown[], max: number): void {
  if (max === 0) {
    throw clientError("BAD_REQUEST", "Batches are not accepted here: send one operation in each request.", {
      http: { status: 400 },
    });
  }
  if (length > max) {
    throw clientError("LIMIT_EXCEEDED", "The batch holds more operations than this gateway takes.", {
      limit: "batch",
      max,
      actual: length,
      http: { status: 413 },
    });
  }
}

/** Lets yoga parse, validate and execute with the one executor. */
function useExecutor(executor: Executor): Plugin<YogaContext> {
  const preparedBy = new WeakMap<object, PreparedDocument>();
  return {
    onParse({ params: { source }, context, setParsedDocument }) {
      const prepared = executor.prepare(typeof source === "string" ? source : source.body);
      // yoga has other words for a name that means no operation, and says them right after parsing.
      findOperation(prepared, context.params.operationName);
      preparedBy.set(prepared.document, prepared);
      setParsedDocument(prepared.document);
    },
    onValidate({ setResult }) {
      // Every document that was let through above is valid.
      setResult([]);
    },
    onExecute({ args, setExecuteFn }) {
      setExecuteFn(() => {
        const { document, operationName, variableValues: variables, contextValue: context } = args;
        const prepared = preparedBy.get(document);
        if (!prepared) throw new TypeError("the document was not prepared");
        return executor.execute(prepared, { operationName, variables }, context);
      });
    },
  };
}

/** Writes every result with the function of the fast path. */
function useFormat(): Plugin<YogaContext> {
  return {
    onResultProcess(payload) {
      const context = contextOf(payload.serverContext);
      const { mediaType } = context.yogaRequest;
      payload.setResultProcessor((result, fetchAPI) => {
        const formatted = (Array.isArray(result) ? result : [result]).map((one) => {
          const each = formatResult(singleResult(one), context);
          for (const code of each.codes) context.codes.add(code);
          return each;
        });
        const [first] = formatted;
        const texts = formatted.map((one) => textOf(one.result));
        const body = Array.isArray(result) ? `[${texts.join(",")}]` : texts[0];
        const status = first && !Array.isArray(result) ? statusOf(first, mediaType) : 200;
        const allow = first?.http?.headers[1];
        return new fetchAPI.Response(body, {
          status,
          headers: { "content-type": mediaType, ...(allow !== undefined && { allow }) },
        });
      }, mediaType);
    },
  };
}

/** Marks errors that a trace has no place for. JSON leaves symbols out. */
const UNTRACED = Symbol("untraced");

/** Where a root field's arguments were refused, it has no span, and the plugin for traces throws. */
function isOfUnresolvedField(error: GraphQLError | undefined): boolean {
  return error?.path?.length === 1 && error.nodes?.[0]?.kind !== Kind.FIELD;
}

/** Formats errors before anything else takes them up: a trace must not hold what a client may not see. */
function useFormattedErrors(): Plugin<YogaContext> {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        const single = singleResult(result);
        if (!single.errors) return;
        const { errors } = formatResult(single, args.contextValue).result;
        // What was formatted has all that a GraphQLError shows; traces read message, path and locations.
        const marked = errors?.map((error, index) =>
          isOfUnresolvedField(single.errors?.[index]) ? { ...error, [UNTRACED]: true } : error,
        );
        setResult({ ...single, errors: Object.assign([], marked) });
      },
    }),
  };
}

/** Puts each operation's trace into its extensions. The plugin's own way makes a trace of 100 KB an exception. */
function useInlineTrace(): Plugin<YogaContext>[] {
  const [instrumentation, requests] = useApolloInstrumentation({
    rewriteError: (error) => (UNTRACED in error ? null : error),
  });
  const encoding: Plugin<YogaContext> = {
    onExecutionResult(payload) {
      const traced = requests.get(payload.request)?.traces.get(payload.context);
      if (!traced) return;
      const ftv1 = Buffer.from(Trace.encode(traced.trace).finish()).toString("base64");
      const result = singleResult(payload.result);
      payload.setResult({ ...result, extensions: { ...result.extensions, ftv1 } });
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it takes whatever context it gets; its type says less
  return [instrumentation as unknown as Plugin<YogaContext>, encoding];
}

function errorsOf(error: unknown): readonly GraphQLError[] {
  if (error instanceof GraphQLError) return [error];
  throw error;
}

/** The context that `handle` gave to yoga, which hands it on without its type. */
function contextOf(context: object): YogaContext {
  if ("yogaRequest" in context && "codes" in context) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `handle` is the only one who makes contexts
    return context as YogaContext;
  }
  throw new TypeError("yoga was entered without a context");
}

function yogaRequestOf(context: object): YogaRequest {
  return contextOf(context).yogaRequest;
}

/** Results of queries and mutations: nothing here streams. */
function singleResult(result: unknown): ExecutionResult {
  if (typeof result === "object" && result !== null && !(Symbol.asyncIterator in result)) return result;
  throw new TypeError("a result must be a single object");
}
