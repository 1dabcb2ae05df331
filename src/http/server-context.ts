import type { JsonObject } from "../authentik/decoders.ts";
import type { GraphContext } from "../graphql/context.ts";
import type { OperationNote } from "../graphql/operations.ts";

/** One operation as the HTTP edge sees it; the notes are filled in on the way. */
export interface ServerContext extends GraphContext {
  operation: OperationNote;
  /** Codes of the errors in the answer. */
  codes: Set<string>;
  onProblem: (problem: JsonObject) => void;
}

/** Routers ask for a trace of the operation with it. */
export const TRACE_HEADER = "apollo-federation-include-trace";
