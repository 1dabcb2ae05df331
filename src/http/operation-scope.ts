import { createCancellation, type Cancellation } from "../authentik/cancellation.ts";
import { AuthentikError } from "../authentik/errors.ts";

/** How long an operation may take and who still waits for it. */
export interface OperationScope {
  /** Aborted with an `AuthentikError`: `timeout` when the budget ends, `cancelled` when nobody waits any more. */
  readonly signal: Cancellation;
  /** Milliseconds since it began. */
  ageMs(): number;
  /** One more client waits for the result. Call the returned function once, when that client left. */
  join(): () => void;
  /** The result is there: the budget no longer counts. */
  end(): void;
}

/** Starts the budget of one operation. */
export function createOperationScope({ budgetMs }: { budgetMs: number }): OperationScope {
  const controller = createCancellation();
  const startedMs = performance.now();
  let waiting = 0;
  const timer = setTimeout(() => {
    controller.abort(new AuthentikError("timeout", "the operation's time budget ended"));
  }, budgetMs);
  return {
    signal: controller.signal,
    ageMs: () => performance.now() - startedMs,
    join() {
      waiting += 1;
      return () => {
        waiting -= 1;
        if (waiting === 0) controller.abort(new AuthentikError("cancelled", "every client left"));
      };
    },
    end: () => clearTimeout(timer),
  };
}
