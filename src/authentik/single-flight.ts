/** Somebody who waits for the outcome of a call. */
export interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One call that may be waited for by several operations of one caller. */
export interface Flight {
  readonly waiters: Set<Waiter>;
  /** Given by whoever started the call. */
  cancel: (reason: unknown) => void;
}

/** Identical GETs of one caller in flight at once, as one call. Empty when nothing is in flight. */
export interface SingleFlight {
  /** The flight to join, or undefined. */
  find(key: string): Flight | undefined;
  /** Registers a call that is about to be sent. */
  open(key: string): Flight;
  /** Ends the flight and gives everybody who still waits the outcome. */
  land(key: string, flight: Flight, settle: (waiter: Waiter) => void): void;
  /** One waiter leaves; the last one takes the call with it. */
  leave(key: string, flight: Flight, waiter: Waiter, reason: unknown): void;
  size(): number;
}

/** A flight that nobody can find: a call of its own. */
export function newFlight(): Flight {
  return { waiters: new Set(), cancel: () => {} };
}

export function createSingleFlight(): SingleFlight {
  const flights = new Map<string, Flight>();
  const close = (key: string, flight: Flight): void => {
    if (flights.get(key) === flight) flights.delete(key);
  };
  return {
    find: (key) => flights.get(key),
    open(key) {
      const flight = newFlight();
      flights.set(key, flight);
      return flight;
    },
    land(key, flight, settle) {
      close(key, flight);
      for (const waiter of flight.waiters) settle(waiter);
      flight.waiters.clear();
    },
    leave(key, flight, waiter, reason) {
      if (!flight.waiters.delete(waiter) || flight.waiters.size > 0) return;
      close(key, flight);
      flight.cancel(reason);
    },
    size: () => flights.size,
  };
}
