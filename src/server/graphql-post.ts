import { type ExecutionResult, GraphQLError, OperationTypeNode } from "graphql";
import type { Authentik } from "../authentik/client.ts";
import { createCoalescer } from "../authentik/coalesce.ts";
import type { Executor, OperationSummary } from "../graphql/execute.ts";
import { formatResult, textOf } from "../graphql/format.ts";
import { findOperation } from "../graphql/prepare.ts";
import type { PendingRequest } from "./pending-request.ts";
import type { RequestParams } from "./request-params.ts";
import { type GraphQLResponse, type ResponseMediaType, statusOf } from "./graphql-response.ts";
import type { IdentifiedCaller, RunOperation } from "./server-context.ts";

/** One operation sent as JSON by POST, without a persisted query or anything else that is yoga's. */
export interface PostedOperation {
  params: RequestParams & { query: string };
  /** The body as text: what identical operations are recognised by. */
  body: string;
  caller: IdentifiedCaller;
  mediaType: ResponseMediaType;
}

/** What the shortcut needs. */
export interface GraphqlPostOptions {
  executor: Executor;
  authentik: Authentik;
  runOperation: RunOperation;
  /** Whether identical queries of one caller in flight at once are executed once. */
  coalesce: boolean;
  operationTimeoutMs: number;
}

/** One execution, for everyone who waits for it. */
interface Execution {
  readonly result: ExecutionResult;
  readonly operation: OperationSummary;
  /** The JSON of a result without errors, which is the same for everyone. */
  text?: string;
}

/** Longest request body that identical operations are recognised by, in characters. */
const MAX_SHARED_LENGTH = 16_384;

/**
 * The shortcut for what nearly every request is: prepares, executes and formats with the functions that yoga's plugins
 * call, without yoga's own Request, Response and hooks. docs/decisions/0010-one-way-in.md has what that saves.
 */
export function createGraphqlPost(
  options: GraphqlPostOptions,
): (posted: PostedOperation, pending: PendingRequest) => Promise<GraphQLResponse> {
  const { executor, authentik, runOperation, coalesce, operationTimeoutMs } = options;
  // Who joins late would be given the end of a time budget that is not its own.
  const coalescer = createCoalescer<Execution>({ joinWithinMs: operationTimeoutMs / 2 });

  async function execute(
    { params, body, caller }: PostedOperation,
    pending: PendingRequest,
  ): Promise<Execution> {
    const prepared = executor.prepare(params.query);
    const { operation: type } = findOperation(prepared, params.operationName);
    const isShareable =
      coalesce &&
      type === OperationTypeNode.QUERY &&
      body.length <= MAX_SHARED_LENGTH &&
      !(caller instanceof Error);
    const key = isShareable ? `${authentik.shareKey(caller)} ${body}` : "";
    pending.shared = coalescer.has(key);
    const { result, abort } = coalescer.join(key, (controller) =>
      runOperation(pending, {
        caller,
        controller,
        run: async (context) => {
          const result = await executor.execute(prepared, params, context);
          return { result, operation: pending.operation };
        },
      }),
    );
    pending.onAbort = abort;
    return result;
  }

  return async (posted, pending) => {
    const { mediaType } = posted;
    let execution: Execution;
    try {
      execution = await execute(posted, pending);
    } catch (error) {
      execution = { result: resultOf(error), operation: {} };
    }
    const { result, operation } = execution;
    pending.operation = operation;
    const formatted = formatResult(result, pending);
    for (const code of formatted.codes) pending.codes.add(code);
    return {
      status: statusOf(formatted, mediaType),
      mediaType,
      body:
        formatted.codes.length === 0
          ? (execution.text ??= textOf(formatted.result))
          : textOf(formatted.result),
      ...(formatted.http && { headers: formatted.http.headers }),
    };
  };
}

/** The result of a request that never became an execution. @throws what is no error of the request */
function resultOf(error: unknown): ExecutionResult {
  if (error instanceof AggregateError) return { errors: error.errors };
  if (error instanceof GraphQLError) return { errors: [error] };
  throw error;
}
