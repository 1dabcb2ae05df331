import type { Execution } from "./execution.ts";

/** Identical operations of one caller in flight at once, executed once. */
export interface SharedOperations {
  /** The execution under `key` to wait for, or undefined. */
  find(key: string): Execution | undefined;
  /** Lets others find it, in place of another one under the same key. */
  add(key: string, execution: Execution): void;
  /** It has ended: nobody is to find it any more. */
  remove(key: string, execution: Execution): void;
}

/**
 * Shares executions by key. A key must hold the caller and everything that the result depends on.
 * A latecomer is not taken aboard when the first caller has used up half of the time budget or has been cancelled:
 * it would be given the end of a budget that is not its own.
 */
export function createSharedOperations(): SharedOperations {
  const inFlight = new Map<string, Execution>();
  return {
    find(key) {
      const running = inFlight.get(key);
      return running?.admits() ? running : undefined;
    },
    add: (key, execution) => void inFlight.set(key, execution),
    remove(key, execution) {
      if (inFlight.get(key) === execution) inFlight.delete(key);
    },
  };
}
