import { createCallerShares, type CallerShare } from "./caller-shares.ts";
import type { ConcurrencyLimit, LimitSample } from "./concurrency-limit.ts";
import { createLanes, type Lanes } from "./operation-lanes.ts";

/** One call's claim to a place. */
export interface Ticket {
  readonly caller: QueuedCaller;
  readonly operation: object;
  /** Expected work for authentik, in retrieves. */
  readonly cost: number;
  /** Called once, when the place is given: within `enter` or later. */
  readonly start: (ticket: Ticket) => void;
  /** When it began to wait, by the clock of the queue; 0 when it never had to. */
  waitingSince: number;
  /** What the limit wants back when the call has ended. */
  stamp: number;
}

/** A caller's share and its calls that wait. */
interface QueuedCaller extends CallerShare {
  readonly tickets: Lanes<Ticket>;
  /** Cost that this caller may still cause in its turn. */
  credit: number;
  isInRing: boolean;
}

/** A call that wants a place. */
export interface QueuedCall {
  callerKey: string;
  /** Any object that stands for the operation: the same one for all its calls. */
  operation: object;
  /** Expected work for authentik, in retrieves. */
  cost: number;
  /** Called once, when the place is given: within `enter` or later. */
  start: (ticket: Ticket) => void;
}

/** Places towards one authentik, and a bounded queue in front of them that is fair between callers. */
export interface FairQueue {
  /** Starts the call now or queues it; null when there is no room. */
  enter(call: QueuedCall): Ticket | null;
  /** Gives up waiting. */
  leave(ticket: Ticket): void;
  /** Gives the place back. */
  release(ticket: Ticket, sample: LimitSample): void;
  inFlight(): number;
  queued(): number;
}

export interface FairQueueOptions {
  limit: ConcurrencyLimit;
  /** Calls that may wait. One caller may fill half of it. */
  queueMax: number;
  /** A clock in milliseconds. */
  now: () => number;
  /** Runs an action once after so many milliseconds, without keeping the process alive. */
  after: (delayMs: number, action: () => void) => void;
}

/** Lists of more rows than about 36 keep a worker of authentik busy for long. */
const HEAVY_COST = 4;
const HEAVY_WEIGHT = 3;
/** What a caller may add to its credit when its turn comes: one retrieve. */
const CREDIT_A_TURN = 1;
/** While calls are held back the limit is asked again after so long: what it waits for may hang. */
const ASK_AGAIN_MS = 250;

/** Deficit round robin over callers, by cost, within the share of places that each may use; its operations take turns. */
export function createFairQueue({ limit, queueMax, now, after }: FairQueueOptions): FairQueue {
  const shares = createCallerShares<QueuedCaller>(limit, now, createCaller);
  /** Callers with waiting calls; whose turn it is comes first. */
  const ring: QueuedCaller[] = [];
  const mostOfOne = Math.max(1, Math.ceil(queueMax / 2));
  let inFlight = 0;
  let queued = 0;
  let isPumping = false;
  let willAskAgain = false;

  const begin = (ticket: Ticket): void => {
    inFlight += 1;
    ticket.caller.inFlight += 1;
    ticket.caller.weight += weightOf(ticket.cost);
    ticket.stamp = limit.started(inFlight);
    ticket.start(ticket);
  };

  const take = (ticket: Ticket): boolean => {
    if (!ticket.caller.tickets.take(ticket.operation, ticket)) return false;
    ticket.caller.waiting -= 1;
    queued -= 1;
    return true;
  };

  const dropFirst = (): void => {
    const caller = ring.shift();
    if (caller === undefined) return;
    caller.isInRing = false;
    caller.credit = 0;
  };

  /** The next call whose caller has its turn, credit and a free part; null when none may start. */
  const next = (): Ticket | null => {
    let blocked = 0;
    while (blocked < ring.length) {
      const caller = ring[0];
      const ticket = caller?.tickets.first();
      if (caller === undefined || ticket === undefined) {
        dropFirst();
        continue;
      }
      if (!shares.mayStart(caller, weightOf(ticket.cost))) {
        blocked += 1;
        rotate(ring);
        continue;
      }
      if (caller.credit < ticket.cost && ring.length > 1) {
        caller.credit += CREDIT_A_TURN;
        if (caller.credit < ticket.cost) {
          blocked = 0;
          rotate(ring);
          continue;
        }
      }
      take(ticket);
      caller.credit = Math.max(0, caller.credit - ticket.cost);
      if (caller.waiting === 0) dropFirst();
      else if (caller.credit < CREDIT_A_TURN) rotate(ring);
      return ticket;
    }
    return null;
  };

  const pump = (): void => {
    if (isPumping) return;
    isPumping = true;
    while (inFlight < limit.places()) {
      const ticket = next();
      if (ticket === null) break;
      begin(ticket);
    }
    isPumping = false;
    if (queued === 0 || willAskAgain || !limit.isHolding()) return;
    willAskAgain = true;
    after(ASK_AGAIN_MS, () => {
      willAskAgain = false;
      pump();
    });
  };

  return {
    enter({ callerKey, operation, cost, start }) {
      const time = now();
      const caller = shares.calling(callerKey, time);
      const ticket: Ticket = { caller, operation, cost, start, waitingSince: 0, stamp: 0 };
      if (queued === 0 && inFlight < limit.places() && shares.mayStart(caller, weightOf(cost))) {
        begin(ticket);
        shares.noteDemand(caller);
        return ticket;
      }
      limit.pressed();
      if (queued >= queueMax || caller.waiting >= mostOfOne) return null;
      ticket.waitingSince = time;
      caller.tickets.add(operation, ticket);
      caller.waiting += 1;
      queued += 1;
      if (!caller.isInRing) ring.push(caller);
      caller.isInRing = true;
      shares.noteDemand(caller);
      pump();
      return ticket;
    },
    leave: take,
    release(ticket, sample) {
      limit.finished(ticket.stamp, sample);
      inFlight -= 1;
      ticket.caller.inFlight -= 1;
      ticket.caller.weight -= weightOf(ticket.cost);
      pump();
    },
    inFlight: () => inFlight,
    queued: () => queued,
  };
}

function createCaller(): QueuedCaller {
  return {
    inFlight: 0,
    weight: 0,
    waiting: 0,
    peak: 0,
    previousPeak: 0,
    tickets: createLanes(),
    credit: 0,
    isInRing: false,
  };
}

function rotate(ring: QueuedCaller[]): void {
  const first = ring.shift();
  if (first !== undefined) ring.push(first);
}

function weightOf(cost: number): number {
  return cost >= HEAVY_COST ? HEAVY_WEIGHT : 1;
}
