import type { CallerIdentity } from "../authentik/caller.ts";
import type { Authentik, AuthentikClient } from "../authentik/client.ts";
import { AuthentikError } from "../authentik/authentik-error.ts";
import type { Abortable } from "../authentik/coalesce.ts";
import { createTally } from "../authentik/usage.ts";
import type { Config } from "../config/load.ts";
import type { GraphContext, GraphLimits } from "../graphql/context.ts";
import type { PendingRequest } from "./pending-request.ts";

/** Who calls, or why there is nobody to ask authentik for. */
export type IdentifiedCaller = CallerIdentity | Error;

/** What one operation may take. */
type OperationLimits = GraphLimits & Pick<Config, "operationTimeoutMs" | "maxRestCalls">;

const OVER = new AuthentikError("cancelled", "the operation is over");

export type RunOperation = ReturnType<typeof createRunOperation>;

/** Runs operations, each within its time budget. */
export function createRunOperation(authentik: Authentik, options: OperationLimits) {
  const { operationTimeoutMs, maxRestCalls } = options;
  const { maxRepresentations, maxPageSize, maxAnswerFields, maxErrors, maxScannedRows } = options;
  const limits = { maxRepresentations, maxPageSize, maxAnswerFields, maxErrors, maxScannedRows };
  return <Result>(
    pending: PendingRequest,
    caller: IdentifiedCaller,
    run: (context: GraphContext) => Result | Promise<Result>,
  ): Abortable<Result> => {
    const { requestId, span } = pending;
    const client =
      caller instanceof Error
        ? createRefusingClient(authentik, caller)
        : authentik.forCaller({ identity: caller, requestId, maxRestCalls, span });
    pending.usage = client.usage;
    // One budget for an operation: from the body's last byte to the last byte of the last REST call.
    const timer = setTimeout(
      () => client.abort(new AuthentikError("timeout", "the operation's time budget ended")),
      operationTimeoutMs,
    );
    const finish = async (): Promise<Result> => {
      try {
        return await run({ authentik: client, ...limits });
      } finally {
        clearTimeout(timer);
        // What its result did not wait for has no deadline any more, and nobody waits for it.
        client.abort(OVER);
      }
    };
    return { result: finish(), abort: (reason) => client.abort(reason) };
  };
}

/** What resolvers get for a caller without usable credentials: everything is refused, and nothing is sent. */
function createRefusingClient(upstream: Authentik, refusal: Error): AuthentikClient {
  const refuse = () => Promise.reject(refusal);
  const tally = createTally(upstream.usage);
  return { callerKey: "", upstream, ...tally, memory: new Map(), get: refuse, delete: refuse, abort() {} };
}
