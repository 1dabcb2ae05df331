/** Waiting things of several operations, taken one operation after the other. */
export interface Lanes<T> {
  add(operation: object, thing: T): void;
  /** Whose turn it is; undefined when nothing waits. */
  first(): T | undefined;
  /** Takes this thing out; the next operation has its turn. False when it was not there. */
  take(operation: object, thing: T): boolean;
}

/**
 * One caller may be many people: where a gateway or a router shows authentik one credential for all of them, its operations
 * are all that can be told apart. With turns, one operation of 500 calls does not hold up those of one call.
 */
export function createLanes<T>(): Lanes<T> {
  // In order of insertion: an operation that had its turn goes to the end.
  const lanes = new Map<object, T[]>();
  return {
    add(operation, thing) {
      const lane = lanes.get(operation);
      if (lane === undefined) lanes.set(operation, [thing]);
      else lane.push(thing);
    },
    first: () => lanes.values().next().value?.[0],
    take(operation, thing) {
      const lane = lanes.get(operation);
      if (lane === undefined) return false;
      // Whoever has its turn comes first, and whoever gives up came last.
      const index = lane[0] === thing ? 0 : lane.lastIndexOf(thing);
      if (index < 0) return false;
      lane.splice(index, 1);
      lanes.delete(operation);
      if (lane.length > 0) lanes.set(operation, lane);
      return true;
    },
  };
}
