import type { EventEmitter } from "node:events";

/** The signals that ask a process to end. */
export type EndSignal = "SIGTERM" | "SIGINT";

/** npm passes on the Ctrl-C that the terminal sends to its child as well: that is one wish, not two. */
const SAME_WISH_MS = 300;

/**
 * Calls `first` for the first signal to end and `again` for any that comes a moment later.
 * Takes the signals over: without a call of ours the process lives on.
 */
export function onEndSignals(
  events: EventEmitter,
  handlers: { first: (signal: EndSignal) => void; again: () => void },
): void {
  let firstAtMs: number | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    events.on(signal, () => {
      if (firstAtMs === undefined) {
        firstAtMs = performance.now();
        handlers.first(signal);
      } else if (performance.now() - firstAtMs > SAME_WISH_MS) handlers.again();
    });
  }
}
