import type { ExecutionResult } from "graphql";
import type { OperationNote } from "../graphql/operations.ts";
import type { Answer } from "./answer.ts";
import type { OperationScope } from "./operation-scope.ts";

/** One execution, for everyone who waits for it. */
export interface Execution {
  readonly scope: OperationScope;
  /** What it came to, or a whole answer where yoga's HTTP layer gave it. */
  readonly result: Promise<ExecutionResult | Answer>;
  readonly operation: OperationNote;
  /** The text of the answer, made once for everyone where it is the same for everyone. */
  text?: string;
}

/** Identical operations of one caller in flight at once, executed once. */
export interface SharedOperations {
  /** The execution under `key` to wait for, or undefined. */
  find(key: string): Execution | undefined;
  /** Lets others find an execution until it has ended. */
  add(key: string, execution: Execution): void;
}

/**
 * Shares executions by key. A key must hold the caller and everything that the result depends on.
 * A latecomer is not taken aboard when the first caller has used up half of the time budget or has been cancelled:
 * it would be given the end of a budget that is not its own.
 */
export function createSharedOperations({ budgetMs }: { budgetMs: number }): SharedOperations {
  const inFlight = new Map<string, Execution>();
  return {
    find(key) {
      const running = inFlight.get(key);
      if (!running || running.scope.signal.aborted || running.scope.ageMs() >= budgetMs / 2) return undefined;
      return running;
    },
    add(key, execution) {
      inFlight.set(key, execution);
      const leave = () => {
        if (inFlight.get(key) === execution) inFlight.delete(key);
      };
      execution.result.then(leave, leave);
    },
  };
}
