import type { ConcurrencyLimit, LimitSample } from "./concurrency-limit.ts";

/** A request that wants a permit. */
export interface QueuedRequest {
  /** Whose turn it takes. `""` is the one turn of all credentials that authentik has not accepted yet. */
  readonly callerKey: string;
  /** Called once, when the permit is given: within `enter` or later. */
  readonly start: (ticket: Ticket) => void;
}

/** One request's claim to a permit. */
export type Ticket = QueuedRequest;

/** Permits towards one authentik, and the bounded queue in front of them. */
export interface RequestQueue {
  /** Starts the request now or queues it. Null: there is no room, and nothing was queued. */
  enter(request: QueuedRequest): Ticket | null;
  /** Gives up waiting; nothing happens where the ticket does not wait. */
  leave(ticket: Ticket): void;
  /** Gives the permit back. */
  release(ticket: Ticket, sample: LimitSample): void;
  inFlight(): number;
  queued(): number;
}

/**
 * Round robin over the callers that have requests waiting, first come first served within a caller: whoever asks for one thing
 * waits for one request of each of the others, however many those have.
 * @param options.queueMax requests that may wait; one caller may fill half of it, so that a single one never locks out all others
 */
export function createRequestQueue({
  limit,
  queueMax,
}: {
  limit: ConcurrencyLimit;
  queueMax: number;
}): RequestQueue {
  /** Never an empty set. Maps and sets keep the order of insertion: the first caller's first request is the next one. */
  const waiting = new Map<string, Set<Ticket>>();
  const mostOfOneCaller = Math.max(1, Math.ceil(queueMax / 2));
  let inFlight = 0;
  let queued = 0;
  let isStarting = false;

  const begin = (ticket: Ticket): void => {
    inFlight += 1;
    limit.started(inFlight);
    ticket.start(ticket);
  };

  const remove = (ticket: Ticket): boolean => {
    const tickets = waiting.get(ticket.callerKey);
    if (tickets?.delete(ticket) !== true) return false;
    queued -= 1;
    if (tickets.size === 0) waiting.delete(ticket.callerKey);
    return true;
  };

  /** Takes out whose turn it is, and puts its caller at the end of the round. */
  const takeNext = (): Ticket | null => {
    for (const [callerKey, tickets] of waiting) {
      for (const ticket of tickets) {
        remove(ticket);
        if (waiting.delete(callerKey)) waiting.set(callerKey, tickets);
        return ticket;
      }
    }
    return null;
  };

  const startWaiting = (): void => {
    // What starts may end at once and release its permit: the loop below goes on then, instead of one inside of it.
    if (isStarting) return;
    isStarting = true;
    try {
      while (inFlight < limit.permits()) {
        const ticket = takeNext();
        if (ticket === null) break;
        begin(ticket);
      }
    } finally {
      isStarting = false;
    }
  };

  return {
    enter(request) {
      const ticket: Ticket = { callerKey: request.callerKey, start: request.start };
      if (queued === 0 && inFlight < limit.permits()) {
        begin(ticket);
        return ticket;
      }
      const ofCaller = waiting.get(ticket.callerKey);
      if (queued >= queueMax || (ofCaller?.size ?? 0) >= mostOfOneCaller) return null;
      if (ofCaller === undefined) waiting.set(ticket.callerKey, new Set([ticket]));
      else ofCaller.add(ticket);
      queued += 1;
      // The limit may have grown since the last permit came back.
      startWaiting();
      return ticket;
    },
    leave: remove,
    release(_ticket, sample) {
      inFlight -= 1;
      limit.finished(sample);
      startWaiting();
    },
    inFlight: () => inFlight,
    queued: () => queued,
  };
}
