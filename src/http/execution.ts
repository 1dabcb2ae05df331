import type { ExecutionResult } from "graphql";
import { type Cancellation, createCancellation } from "../authentik/cancellation.ts";
import { AuthentikError } from "../authentik/errors.ts";
import type { OperationNote } from "../graphql/operations.ts";
import type { Answer } from "./answer.ts";

/** What an execution comes to, or a whole answer where yoga's HTTP layer gives it. */
export type Outcome = ExecutionResult | Answer;

/** A client that waits. Exactly one of both is called, once, unless it leaves before. Neither may throw. */
export interface Waiter {
  succeed(outcome: Outcome): void;
  fail(error: unknown): void;
}

/** One execution, for everyone who waits for it. */
export interface Execution {
  /** What is known of the operation; filled in while it is executed. */
  readonly operation: OperationNote;
  /** The text of the answer, made once for everyone where it is the same for everyone. */
  text?: string;
  /** Whether one more client may wait for it: it has not been cancelled and has more than half of its time left. */
  admits(): boolean;
  /**
   * One more client waits.
   * @returns what it calls when it leaves: true when it still waited. The last one takes the work along.
   */
  join(waiter: Waiter): () => boolean;
}

/** What an execution is started with. */
export interface ExecutionOptions {
  /** Time for all of it, from now on. */
  budgetMs: number;
  operation: OperationNote;
  /**
   * Begins the work. The signal is aborted with an `AuthentikError`: `timeout` when the budget ends, `cancelled` when
   * nobody waits any more.
   */
  run: (signal: Cancellation) => Outcome | Promise<Outcome>;
  /** Called when it is over, before anybody who waits is told. */
  onEnd: (execution: Execution) => void;
}

/** Starts to execute; whoever joins at once is told of the outcome. */
export function startExecution({ budgetMs, operation, run, onEnd }: ExecutionOptions): Execution {
  const controller = createCancellation();
  const startedMs = performance.now();
  let waiters: Waiter[] = [];
  const timer = setTimeout(() => {
    controller.abort(new AuthentikError("timeout", "the operation's time budget ended"));
  }, budgetMs);

  const execution: Execution = {
    operation,
    admits: () => !controller.signal.aborted && performance.now() - startedMs < budgetMs / 2,
    join(waiter) {
      waiters.push(waiter);
      return () => {
        const index = waiters.indexOf(waiter);
        if (index < 0) return false;
        waiters.splice(index, 1);
        if (waiters.length === 0) controller.abort(new AuthentikError("cancelled", "every client left"));
        return true;
      };
    },
  };

  const end = (): readonly Waiter[] => {
    clearTimeout(timer);
    onEnd(execution);
    const all = waiters;
    waiters = [];
    return all;
  };
  begin(() => run(controller.signal)).then(
    (outcome) => end().forEach((waiter) => waiter.succeed(outcome)),
    (error: unknown) => end().forEach((waiter) => waiter.fail(error)),
  );
  return execution;
}

/** As a promise, whether it is one, a value or thrown. */
function begin(run: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    return Promise.resolve(run());
  } catch (error) {
    return Promise.reject(error);
  }
}
