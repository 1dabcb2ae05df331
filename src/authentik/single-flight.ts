import type { AuthentikError } from "./errors.ts";

/** One operation's claim to the outcome of a call. */
export interface Waiter {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  /** The flight that it waits for. */
  readonly flight: Flight;
  /** Tells the operation that it waits no more. */
  readonly done: (waiter: Waiter) => void;
}

/** One call that several operations of one caller may wait for. */
export interface Flight {
  /** Caller and path; empty for a call that nobody else may join. */
  readonly key: string;
  readonly waiters: Waiter[];
  /** Ends the call; given by whoever started it. May know better than `reason` why there is no answer; else null. */
  cancel: (reason: unknown) => AuthentikError | null;
}

/** Identical GETs of one caller in flight at once, as one call. Holds nothing when nothing is in flight. */
export interface SingleFlight {
  /** The flight to join, or undefined. */
  find(key: string): Flight | undefined;
  /** Registers a call that is about to be sent; with an empty key nobody will find it. */
  open(key: string): Flight;
  /** Ends the flight: everybody who still waits gets the value. */
  land(flight: Flight, value: unknown): void;
  /** Ends the flight: everybody who still waits gets the error. */
  crash(flight: Flight, error: unknown): void;
  /** One waiter leaves, with a reason; the last one takes the call with it. */
  leave(waiter: Waiter, reason: unknown): void;
  size(): number;
}

export function createSingleFlight(): SingleFlight {
  const flights = new Map<string, Flight>();
  const close = (flight: Flight): void => {
    if (flight.key !== "") flights.delete(flight.key);
  };
  return {
    find: (key) => flights.get(key),
    open(key) {
      const flight: Flight = { key, waiters: [], cancel: ignore };
      if (key !== "") flights.set(key, flight);
      return flight;
    },
    land(flight, value) {
      close(flight);
      for (const waiter of flight.waiters.splice(0)) {
        waiter.done(waiter);
        waiter.resolve(value);
      }
    },
    crash(flight, error) {
      close(flight);
      for (const waiter of flight.waiters.splice(0)) {
        waiter.done(waiter);
        waiter.reject(error);
      }
    },
    leave(waiter, reason) {
      const { flight } = waiter;
      const index = flight.waiters.indexOf(waiter);
      if (index < 0) return;
      flight.waiters.splice(index, 1);
      waiter.done(waiter);
      if (flight.waiters.length > 0) {
        waiter.reject(reason);
        return;
      }
      close(flight);
      waiter.reject(flight.cancel(reason) ?? reason);
    },
    size: () => flights.size,
  };
}

function ignore(): null {
  return null;
}
