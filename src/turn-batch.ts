/** Collects what comes in during one turn of the event loop. */
export interface TurnBatch<T> {
  /** Has it handled at the end of this turn, after all that came before it. */
  add(item: T): void;
  /** Handles at once what was added until now. */
  flush(): void;
}

/**
 * Handles things of the same kind together, once in each turn of the event loop.
 *
 * Under load many requests or answers arrive in one turn. One after the other through all stages, each finds the caches of
 * the processor filled with another stage's code and data; all of them through one stage, then through the next, cost a third
 * less. Alone, a thing waits for the end of the turn that brought it. See docs/decisions/0007-stages-in-batches.md.
 * @param handle what it throws is an uncaught exception, and the others are still handled
 */
export function createTurnBatch<T>(handle: (item: T) => void): TurnBatch<T> {
  let items: T[] = [];
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
      if (begun < all.length) all.slice(begun).forEach(add);
    }
  };
  const add = (item: T): void => {
    if (items.push(item) === 1) setImmediate(flush);
  };
  return { add, flush };
}
