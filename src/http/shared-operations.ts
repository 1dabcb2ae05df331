import type { OperationScope } from "./operation-scope.ts";

/** One execution and everyone who waits for it. */
export interface Execution<T> {
  scope: OperationScope;
  result: Promise<T>;
}

/** Identical operations of one caller in flight at once, executed once. */
export interface SharedOperations<T> {
  /** The execution under `key` that is in flight, or the one that `start` begins. */
  enter(key: string, start: () => Execution<T>): { execution: Execution<T>; shared: boolean };
}

/**
 * Shares executions by key. A key must hold the caller and everything that the result depends on.
 * A latecomer is not taken aboard when the first caller has used up half of the time budget or has been cancelled:
 * it would be given the end of a budget that is not its own.
 */
export function createSharedOperations<T>({ budgetMs }: { budgetMs: number }): SharedOperations<T> {
  const inFlight = new Map<string, Execution<T>>();
  return {
    enter(key, start) {
      const running = inFlight.get(key);
      if (running && !running.scope.signal.aborted && running.scope.ageMs() < budgetMs / 2) {
        return { execution: running, shared: true };
      }
      const execution = start();
      inFlight.set(key, execution);
      const leave = () => {
        if (inFlight.get(key) === execution) inFlight.delete(key);
      };
      execution.result.then(leave, leave);
      return { execution, shared: false };
    },
  };
}
