import { Trace } from "@apollo/usage-reporting-protobuf";
import { useApolloInstrumentation } from "@graphql-yoga/plugin-apollo-inline-trace";
import {
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  lexicographicSortSchema,
} from "graphql";
import { createYoga, type GraphQLParams, type Plugin } from "graphql-yoga";
import type { Config } from "../config/load.ts";
import { isJsonObject, type JsonObject } from "../authentik/decoders.ts";
import { clientError } from "../graphql/errors.ts";
import type { GraphContext } from "../graphql/context.ts";
import { type Executor, summaryOf } from "../graphql/execute.ts";
import { formatResult, textOf } from "../graphql/format.ts";
import { findOperation } from "../graphql/prepare.ts";
import { usePersistedQueries } from "./persisted-queries.ts";
import { checkParams, type GraphQLRequest, TRACE_HEADER } from "./request-params.ts";
import { type GraphQLResponse, statusOf, withAllow } from "./graphql-response.ts";
import type { PendingRequest } from "./pending-request.ts";

/** What yoga needs to answer as the fast path does. */
interface YogaOptions extends Pick<Config, "batchLimit" | "maxPersistedQueriesBytes"> {
  schema: GraphQLSchema;
  /** Executors share nothing but their code; traces need one of their own, since they wrap every resolver. */
  createExecutor: (schema: GraphQLSchema) => Executor;
  executor: Executor;
}

/** What one request's context has besides. */
interface YogaContext extends GraphContext {
  graphqlRequest: GraphQLRequest;
  pending: PendingRequest;
}

type YogaPlugin = Plugin<YogaContext, YogaContext>;

/**
 * yoga, for batches, persisted queries and traces. It is as large as graphql-js, and loaded after the first operation:
 * whoever imports a value from here statically brings it into every start.
 */
export function createYogaServer(options: YogaOptions) {
  const persisted = usePersistedQueries(options.executor, { maxBytes: options.maxPersistedQueriesBytes });
  const create = (schema: GraphQLSchema, executor: Executor, tracing: YogaPlugin[]) =>
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
    /** @param options.trace the value of {@link TRACE_HEADER} */
    async handle(
      request: GraphQLRequest,
      { context, pending, trace }: { context: GraphContext; pending: PendingRequest; trace: unknown },
    ): Promise<GraphQLResponse> {
      const { mediaType } = request;
      const isTraced = trace === "ftv1";
      const isGet = request.method === "GET";
      const init = {
        method: isGet ? "GET" : "POST",
        headers: {
          accept: mediaType,
          "content-type": "application/json",
          ...(isTraced && { [TRACE_HEADER]: trace }),
        },
        // The parameters come from the context; yoga wants to see that there is a body.
        body: isGet ? null : "{}",
      };
      const server = isTraced ? tracing() : plain;
      const response = await server.fetch("http://gateway/graphql", init, {
        ...context,
        graphqlRequest: request,
        pending,
      });
      return withAllow({ status: response.status, mediaType, body: await response.text() });
    },
    async dispose() {
      await plain.dispose();
      await traced?.dispose();
    },
  };
}

/** Takes the parameters as the server parsed them, and checks them as the fast path does. */
function useRequestParams(batchLimit: number): YogaPlugin {
  return {
    onRequestParse({ serverContext, setRequestParser }) {
      const { params } = serverContext.graphqlRequest;
      setRequestParser(() => {
        if (params instanceof Error) throw params;
        if (!Array.isArray(params)) return Promise.resolve(asObject(params));
        checkBatch(params, batchLimit);
        return Promise.resolve(params.map(asObject));
      });
    },
    onParams({ params, setParams }) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- to yoga, what is undefined is not there
      setParams(checkParams(params) as GraphQLParams);
    },
  };
}

/** What is no object says nothing: onParams above refuses it by itself. */
function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function checkBatch({ length }: readonly unknown[], max: number): void {
  if (max === 0) {
    throw clientError("BAD_REQUEST", "Batches are not accepted here: send one operation in each request.");
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
function useExecutor(executor: Executor): YogaPlugin {
  return {
    onParse({ params: { source }, context, setParsedDocument }) {
      const document = executor.prepare(typeof source === "string" ? source : source.body);
      // yoga has other words for a name that means no operation, and says them right after parsing.
      findOperation(document, context.params.operationName);
      setParsedDocument(document);
    },
    onValidate({ setResult }) {
      // Every document that was let through above is valid.
      setResult([]);
    },
    onExecute({ args, setExecuteFn }) {
      setExecuteFn(() => {
        const { document, operationName, variableValues: variables, contextValue: context } = args;
        const operation = findOperation(document, operationName);
        const { pending } = context;
        // Of a batch, the last one.
        pending.operation = summaryOf(operation);
        return executor.execute(document, { operation, variables }, context);
      });
    },
  };
}

/** Writes every result with the function of the fast path. */
function useFormat(): YogaPlugin {
  return {
    onResultProcess(payload) {
      const { graphqlRequest, pending } = payload.serverContext;
      const { mediaType } = graphqlRequest;
      payload.setResultProcessor((result, fetchAPI) => {
        const formatted = (Array.isArray(result) ? result : [result]).map((one) => {
          const each = formatResult(singleResult(one), pending);
          for (const code of each.codes) pending.codes.add(code);
          return each;
        });
        const [first] = formatted;
        const texts = formatted.map((one) => textOf(one.result));
        const body = Array.isArray(result) ? `[${texts.join(",")}]` : texts[0];
        const status = first && !Array.isArray(result) ? statusOf(first, mediaType) : 200;
        return new fetchAPI.Response(body, { status });
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
function useFormattedErrors(): YogaPlugin {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        const single = singleResult(result);
        if (!single.errors) return;
        const { errors } = formatResult(single, args.contextValue.pending).result;
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
function useInlineTrace(): YogaPlugin[] {
  const [instrumentation, requests] = useApolloInstrumentation({
    rewriteError: (error) => (UNTRACED in error ? null : error),
  });
  const encoding: YogaPlugin = {
    onExecutionResult(payload) {
      const traced = requests.get(payload.request)?.traces.get(payload.context);
      if (!traced) return;
      const ftv1 = Buffer.from(Trace.encode(traced.trace).finish()).toString("base64");
      const result = singleResult(payload.result);
      payload.setResult({ ...result, extensions: { ...result.extensions, ftv1 } });
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it takes whatever context it gets; its type says less
  return [instrumentation as unknown as YogaPlugin, encoding];
}

/** Results of queries and mutations: nothing here streams. */
function singleResult(result: unknown): ExecutionResult {
  if (typeof result === "object" && result !== null && !(Symbol.asyncIterator in result)) return result;
  throw new TypeError("a result must be a single object");
}
