/** How one call went, for the limit. Durations in milliseconds. */
export interface LimitSample {
  /** From the request on the wire to the last byte of its answer. */
  latencyMs: number;
  /** Size of the answer: latencies are compared among answers of about the same size. */
  bytes: number;
  /** `answered`: authentik did the work. `dropped`: it was too busy (timeout, 503, 504). `other`: tells nothing. */
  outcome: "answered" | "dropped" | "other";
}

/** How many calls may be in flight. */
export interface ConcurrencyLimit {
  /** Places at this moment, a whole number. */
  places(): number;
  /** Whether calls are held back for a moment, whatever the limit is. */
  isHolding(): boolean;
  /** Calls that authentik works on at once without letting any wait; Infinity while no bound is known. */
  capacity(): number;
  /** A call was sent; `inFlight` includes it. The result belongs to that call's `finished`. */
  started(inFlight: number): number;
  /** A call ended. */
  finished(stamp: number, sample: LimitSample): void;
  /** A call had to wait: a larger limit would have been used. */
  pressed(): void;
}

/** A number that somebody chose. */
export function createFixedLimit(places: number): ConcurrencyLimit {
  return {
    places: () => places,
    isHolding: () => false,
    capacity: () => Infinity,
    started: () => 0,
    finished: () => {},
    pressed: () => {},
  };
}
