import type { ConcurrencyLimit, LimitSample } from "./concurrency-limit.ts";
export interface Ticket {
  readonly start: (ticket: Ticket) => void;
  waiting: boolean;
}
export interface RequestQueue {
  enter(request: { callerKey: string; start: (ticket: Ticket) => void }): Ticket | null;
  leave(ticket: Ticket): void;
  release(ticket: Ticket, sample: LimitSample): void;
  inFlight(): number;
  queued(): number;
}
export function createRequestQueue({
  limit,
  maxQueued,
}: {
  limit: ConcurrencyLimit;
  maxQueued: number;
}): RequestQueue {
  const waiting: Ticket[] = [];
  let inFlight = 0;
  return {
    enter({ start }) {
      const ticket: Ticket = { start, waiting: false };
      if (inFlight < limit.permits()) {
        inFlight += 1;
        start(ticket);
      } else if (waiting.length >= maxQueued) return null;
      else waiting.push(ticket);
      return ticket;
    },
    leave(ticket) {
      const i = waiting.indexOf(ticket);
      if (i >= 0) waiting.splice(i, 1);
    },
    release(_ticket, sample) {
      limit.finished(sample);
      inFlight -= 1;
      const next = waiting.shift();
      if (next) {
        inFlight += 1;
        next.start(next);
      }
    },
    inFlight: () => inFlight,
    queued: () => waiting.length,
  };
}
