import type { ConcurrencyLimit, LimitSample } from "./concurrency-limit.ts";

/** A request that wants a permit. */
export interface QueuedRequest {
  /** Whose turn it takes. `""` is the one turn of all credentials that authentik has not accepted yet. */
  readonly callerKey: string;
  /** Called once, when the permit is given: within `enter` or later. */
  readonly start: () => void;
}

export type RequestQueue = ReturnType<typeof createRequestQueue>;

/**
 * Permits towards one authentik, and the bounded queue in front of them: round robin over the callers that have requests
 * waiting, first come first served within a caller. Whoever asks for one thing waits for one request of each of the others,
 * however many those have.
 * @param options.queueMax requests that may wait
 * @param options.mostOfOneCaller of those; half, so that no single one locks out all others
 */
export function createRequestQueue({
  limit,
  queueMax,
  mostOfOneCaller = Math.ceil(queueMax / 2),
}: {
  limit: ConcurrencyLimit;
  queueMax: number;
  mostOfOneCaller?: number;
}) {
  /** Never an empty set. Maps and sets keep the order of insertion: the first caller's first request is the next one. */
  const waiting = new Map<string, Set<QueuedRequest>>();
  let inFlight = 0;
  let queued = 0;
  let isStarting = false;

  const begin = (request: QueuedRequest): void => {
    inFlight += 1;
    limit.started(inFlight);
    request.start();
  };

  /** Takes it out of the queue; nothing happens where it does not wait. */
  const remove = (request: QueuedRequest): void => {
    const ofCaller = waiting.get(request.callerKey);
    if (ofCaller?.delete(request) !== true) return;
    queued -= 1;
    if (ofCaller.size === 0) waiting.delete(request.callerKey);
  };

  /** Takes out whose turn it is, and puts its caller at the end of the round. */
  const takeNext = (): QueuedRequest | null => {
    for (const [callerKey, ofCaller] of waiting) {
      for (const request of ofCaller) {
        remove(request);
        if (waiting.delete(callerKey)) waiting.set(callerKey, ofCaller);
        return request;
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
        const request = takeNext();
        if (request === null) break;
        begin(request);
      }
    } finally {
      isStarting = false;
    }
  };

  return {
    /** Starts the request now or queues it. False: there is no room, and nothing was queued. */
    enter(request: QueuedRequest): boolean {
      if (queued === 0 && inFlight < limit.permits()) {
        begin(request);
        return true;
      }
      const ofCaller = waiting.get(request.callerKey);
      if (queued >= queueMax || (ofCaller?.size ?? 0) >= mostOfOneCaller) return false;
      if (ofCaller === undefined) waiting.set(request.callerKey, new Set([request]));
      else ofCaller.add(request);
      queued += 1;
      // The limit may have grown since the last permit came back.
      startWaiting();
      return true;
    },
    abort: remove,
    /** Gives a permit back. */
    release(sample: LimitSample): void {
      inFlight -= 1;
      limit.finished(sample);
      startWaiting();
    },
    inFlight: () => inFlight,
    queued: () => queued,
  };
}
