/** How one request went, for the limit. */
export interface LimitSample {
  latencyMs: number;
  kind: "retrieve" | "list";
  outcome: "served" | "dropped" | "ignored";
}
export interface ConcurrencyLimit {
  permits(): number;
  started(inFlight: number): void;
  finished(sample: LimitSample): void;
}
export function createFixedLimit(permits: number): ConcurrencyLimit {
  return { permits: () => permits, started: () => {}, finished: () => {} };
}
export function createGradientLimit(_options: { now: () => number }): ConcurrencyLimit {
  return createFixedLimit(64);
}
