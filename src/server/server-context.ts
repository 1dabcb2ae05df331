import {
  type Authentik,
  type AuthentikClient,
  type CallerIdentity,
  createUsage,
} from "../authentik/client.ts";
import { AuthentikError } from "../authentik/authentik-error.ts";
import type { Abortable } from "../authentik/coalesce.ts";
import type { JsonObject } from "../authentik/decoders.ts";
import type { GraphContext, GraphLimits } from "../graphql/context.ts";
import type { OperationSummary } from "../graphql/execute.ts";
import type { PendingRequest } from "./pending-request.ts";

/** One operation as the server sees it; what is known of it is filled in on the way. */
export interface ServerContext extends GraphContext {
  operation: OperationSummary;
  /** Codes of the errors in the response. */
  codes: Set<string>;
  onProblem: (problem: JsonObject) => void;
}

/** Who calls, or why there is nobody to ask authentik for. */
export type IdentifiedCaller = CallerIdentity | Error;

/** What contexts are made with. */
export interface ContextOptions extends GraphLimits {
  /** One budget for an operation: from the body's last byte to the last byte of the last REST call. */
  operationTimeoutMs: number;
  /** REST calls that one operation may cause. */
  maxRestCalls: number;
}

export type RunOperation = ReturnType<typeof createRunOperation>;

/** Runs operations, each within its time budget. */
export function createRunOperation(authentik: Authentik, options: ContextOptions) {
  const { operationTimeoutMs, maxRestCalls } = options;
  const { maxRepresentations, maxPageSize, maxAnswerFields, maxErrors, maxScannedRows } = options;
  const limits = { maxRepresentations, maxPageSize, maxAnswerFields, maxErrors, maxScannedRows };
  return <Result>(
    pending: PendingRequest,
    caller: IdentifiedCaller,
    run: (context: ServerContext) => Result | Promise<Result>,
  ): Abortable<Result> => {
    const { requestId, operation, codes, onProblem, span } = pending;
    const client =
      caller instanceof Error
        ? createRefusingClient(authentik, caller)
        : authentik.forCaller({ identity: caller, requestId, maxRestCalls, span });
    pending.usage = client.usage;
    const timer = setTimeout(
      () => client.abort(new AuthentikError("timeout", "the operation's time budget ended")),
      operationTimeoutMs,
    );
    const finish = async (): Promise<Result> => {
      try {
        return await run({ authentik: client, requestId, ...limits, operation, codes, onProblem });
      } finally {
        clearTimeout(timer);
      }
    };
    return { result: finish(), abort: (reason) => client.abort(reason) };
  };
}

/** What resolvers get for a caller without usable credentials: everything is refused, and nothing is sent. */
function createRefusingClient(upstream: Authentik, refusal: Error): AuthentikClient {
  const refuse = () => Promise.reject(refusal);
  const usage = createUsage();
  return { callerKey: "", upstream, usage, memory: new Map(), get: refuse, delete: refuse, abort() {} };
}
