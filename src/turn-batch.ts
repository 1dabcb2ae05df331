/** Takes things in the order in which they come. */
export interface TurnBatch<T> {
  /** Has it handled: at once after a quiet turn of the event loop, else at the end of this turn. */
  add(item: T): void;
  /** Handles at once what was added until now. */
  flush(): void;
}

/**
 * Handles things of the same kind together, once in each turn of the event loop.
 *
 * Under load many requests or answers arrive in one turn. One after the other through all stages, each finds the caches of
 * the processor filled with another stage's code and data; all of them through one stage, then through the next, cost a third
 * less. What comes after a turn that brought nothing waits for nobody. See docs/decisions/0007-stages-in-batches.md.
 * @param handle must not throw into whoever adds; what it throws at the end of a turn is an uncaught exception, and the others
 *   are still handled
 */
export function createTurnBatch<T>(handle: (item: T) => void): TurnBatch<T> {
  let items: T[] = [];
  let quiet = true;
  const flush = (): void => {
    const all = items;
    items = [];
    let begun = 0;
    try {
      for (const item of all) {
        begun += 1;
        handle(item);
      }
    } finally {
      if (begun < all.length) items = [...all.slice(begun), ...items];
    }
  };
  const endTurn = (): void => {
    if (items.length === 0) {
      quiet = true;
      return;
    }
    setImmediate(endTurn);
    flush();
  };
  return {
    add(item) {
      if (!quiet) {
        items.push(item);
        return;
      }
      quiet = false;
      setImmediate(endTurn);
      handle(item);
    },
    flush,
  };
}
