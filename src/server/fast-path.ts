import { type ExecutionResult, GraphQLError, OperationTypeNode } from "graphql";
import type { Authentik } from "../authentik/client.ts";
import type { Config } from "../config/load.ts";
import { createCoalescer } from "../authentik/coalesce.ts";
import { type Executor, summaryOf } from "../graphql/execute.ts";
import { clientError } from "../graphql/errors.ts";
import { formatResult, textOf } from "../graphql/format.ts";
import { findOperation } from "../graphql/prepare.ts";
import type { PendingRequest } from "./pending-request.ts";
import { checkParams, type GraphQLRequest } from "./request-params.ts";
import { type GraphQLResponse, statusOf, withAllow } from "./graphql-response.ts";
import type { RunOperation } from "./run-operation.ts";

/** What the fast path needs. */
interface FastPathOptions extends Pick<Config, "coalesce" | "operationTimeoutMs"> {
  executor: Executor;
  authentik: Authentik;
  runOperation: RunOperation;
}

/** One execution, for everyone who waits for it. */
interface Execution {
  readonly result: ExecutionResult;
  /** The JSON of a result without errors, which is the same for everyone. */
  text?: string;
}

/** Longest parameters that identical operations are recognised by, in characters. */
const MAX_SHARED_LENGTH = 16_384;

/**
 * What nearly every request takes: one operation, without a persisted query or anything else that is yoga's. Prepares,
 * executes and formats with the functions that yoga's plugins call, without yoga's own Request, Response and hooks.
 * docs/decisions/0010-one-way-in.md has what that saves.
 */
export function createFastPath(options: FastPathOptions) {
  const { executor, authentik, runOperation, coalesce, operationTimeoutMs } = options;
  // Who joins is given the end of a time budget that is not its own: it loses a tenth of its own at most.
  const coalescer = createCoalescer<Execution>({ joinWithinMs: operationTimeoutMs / 10 });

  async function execute(
    { method, params: parsed, text, caller }: GraphQLRequest,
    pending: PendingRequest,
  ): Promise<Execution> {
    const { query = "", operationName, variables } = checkParams(parsed);
    const document = executor.prepare(query);
    const operation = findOperation(document, operationName);
    const isQuery = operation.operation === OperationTypeNode.QUERY;
    if (method === "GET" && !isQuery) throw notByGet();
    pending.operation = summaryOf(operation);
    const isShareable = coalesce && isQuery && text.length <= MAX_SHARED_LENGTH && !(caller instanceof Error);
    const key = isShareable ? `${authentik.shareKey(caller)} ${text}` : "";
    pending.shared = coalescer.has(key);
    const { result, abort } = coalescer.join(key, () =>
      runOperation(pending, caller, async (context) => ({
        result: await executor.execute(document, { operation, variables }, context),
      })),
    );
    pending.onAbort = abort;
    return result;
  }

  return async (request: GraphQLRequest, pending: PendingRequest): Promise<GraphQLResponse> => {
    const { mediaType } = request;
    let execution: Execution;
    try {
      execution = await execute(request, pending);
    } catch (error) {
      execution = { result: resultOf(error) };
    }
    const formatted = formatResult(execution.result, pending);
    for (const code of formatted.codes) pending.codes.add(code);
    const body =
      formatted.codes.length === 0 ? (execution.text ??= textOf(formatted.result)) : textOf(formatted.result);
    return withAllow({ status: statusOf(formatted, mediaType), mediaType, body });
  };
}

/** As yoga says it. */
function notByGet(): GraphQLError {
  return clientError("BAD_REQUEST", "Can only perform a mutation operation from a POST request.", {
    http: { status: 405 },
  });
}

/** The result of a request that never became an execution. @throws what is no error of the request */
function resultOf(error: unknown): ExecutionResult {
  if (error instanceof AggregateError) return { errors: error.errors };
  if (error instanceof GraphQLError) return { errors: [error] };
  throw error;
}
