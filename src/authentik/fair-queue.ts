import type { ConcurrencyLimit, LimitSample } from "./concurrency-limit.ts";

/** One call's claim to a place. */
export interface Ticket {
  readonly share: CallerShare;
  /** Expected work for authentik, in retrieves. */
  readonly cost: number;
  /** Called once, when the place is given: within `enter` or later. */
  readonly start: (ticket: Ticket) => void;
  /** `performance.now()` of `enter`; 0 when it never had to wait. */
  waitingSince: number;
  /** What the limit wants back when the call has ended. */
  stamp: number;
}

/** What one caller holds and wants. */
export interface CallerShare {
  inFlight: number;
  /** Weight of what is in flight: a long list counts as several. */
  weight: number;
  readonly waiting: Set<Ticket>;
  /** Cost that this caller may still cause in its turn. */
  credit: number;
  /** Most calls wanted at once, in this period and the one before. */
  peak: number;
  previousPeak: number;
}

/** Places towards one authentik, and a bounded queue in front of them that is fair between callers. */
export interface FairQueue {
  /** Starts the call now or queues it; null when there is no room. */
  enter(callerKey: string, cost: number, start: (ticket: Ticket) => void): Ticket | null;
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
}

/** A caller counts as active for one to two of these after its last call. */
const PERIOD_MS = 5_000;
/** What a caller may add to its credit when its turn comes: one retrieve. */
const CREDIT_A_TURN = 1;
/** A caller counts as present for so long: room at authentik itself is kept for it. */
const PRESENT_MS = 1_000;
/** Lists of more rows than about 36 keep a worker of authentik busy for long. */
const HEAVY_COST = 4;
const HEAVY_WEIGHT = 3;

/**
 * Deficit round robin over callers, by cost; and, while several callers are active, a share of the places for each.
 *
 * The share is what makes a newcomer quick. authentik serves first come, first served: whoever already has all places filled
 * makes the next caller wait behind all of it, however fair the queue on our side is. Where all want their equal part, each
 * has that. Where the others want less, a caller may use what they leave, but only half as much again as authentik works on at
 * once, so that hardly anything waits there; and while the others called within the last second, authentik's own room for what
 * they want is left free. Everybody may always have one call in flight.
 */
export function createFairQueue({ limit, queueMax, now }: FairQueueOptions): FairQueue {
  const shares = new Map<string, CallerShare>();
  /** Callers with waiting calls, whose turn is next first. */
  const ring: CallerShare[] = [];
  const mostOfOne = Math.max(1, Math.ceil(queueMax / 2));
  let inFlight = 0;
  let queued = 0;
  /** Sum of what all active callers lately wanted at once. */
  let demand = 0;
  let periodEnd = now() + PERIOD_MS;
  let pumping = false;
  /** Who called last and when, and when the last caller before that did who was somebody else. */
  let latest: CallerShare | null = null;
  let latestAt = -Infinity;
  let beforeLatestAt = -Infinity;

  const shareOf = (callerKey: string): CallerShare => {
    const known = shares.get(callerKey);
    if (known !== undefined) return known;
    const share = { inFlight: 0, weight: 0, waiting: new Set<Ticket>(), credit: 0, peak: 0, previousPeak: 0 };
    shares.set(callerKey, share);
    return share;
  };

  const noteDemand = (share: CallerShare): void => {
    const wanted = share.inFlight + share.waiting.size;
    if (wanted <= share.peak) return;
    demand += Math.max(wanted, share.previousPeak) - Math.max(share.peak, share.previousPeak);
    share.peak = wanted;
  };

  const startPeriod = (time: number): void => {
    const missed = time > periodEnd + PERIOD_MS;
    periodEnd = time + PERIOD_MS;
    demand = 0;
    for (const [key, share] of shares) {
      const wanted = share.inFlight + share.waiting.size;
      share.previousPeak = missed ? wanted : share.peak;
      share.peak = wanted;
      if (share.previousPeak === 0 && wanted === 0) shares.delete(key);
      else demand += Math.max(share.peak, share.previousPeak);
    }
  };

  const mayStart = (share: CallerShare, cost: number): boolean => {
    const active = shares.size;
    if (active < 2 || share.inFlight === 0) return true;
    const places = limit.places();
    const equal = Math.floor(places / active);
    const wantedByOthers = demand - Math.max(share.peak, share.previousPeak);
    let part = equal;
    if (wantedByOthers < equal * (active - 1)) {
      const lastOfOthers = latest === share ? beforeLatestAt : latestAt;
      const capacity = limit.capacity();
      const present = now() - lastOfOthers <= PRESENT_MS;
      const bearable = present ? Math.round(capacity - wantedByOthers) : Math.floor(capacity * 1.5);
      part = Math.min(places - wantedByOthers - 1, bearable);
    }
    return share.weight + weightOf(cost) <= part;
  };

  const begin = (ticket: Ticket): void => {
    inFlight += 1;
    ticket.share.inFlight += 1;
    ticket.share.weight += weightOf(ticket.cost);
    ticket.stamp = limit.started(inFlight);
    ticket.start(ticket);
  };

  /** The next call whose caller has its turn, credit and a free part; null when none may start. */
  const next = (): Ticket | null => {
    let blocked = 0;
    while (blocked < ring.length) {
      const share = ring[0];
      const ticket = share?.waiting.values().next().value;
      if (share === undefined || ticket === undefined) {
        // All of them have left the queue.
        ring.shift();
        continue;
      }
      if (!mayStart(share, ticket.cost)) {
        blocked += 1;
        rotate(ring);
        continue;
      }
      if (share.credit < ticket.cost && ring.length > 1) {
        share.credit += CREDIT_A_TURN;
        if (share.credit < ticket.cost) {
          blocked = 0;
          rotate(ring);
          continue;
        }
      }
      share.waiting.delete(ticket);
      queued -= 1;
      share.credit = Math.max(0, share.credit - ticket.cost);
      if (share.waiting.size === 0) {
        share.credit = 0;
        ring.shift();
      } else if (share.credit < CREDIT_A_TURN) rotate(ring);
      return ticket;
    }
    return null;
  };

  const pump = (): void => {
    if (pumping) return;
    pumping = true;
    while (inFlight < limit.places()) {
      const ticket = next();
      if (ticket === null) break;
      begin(ticket);
    }
    pumping = false;
  };

  return {
    enter(callerKey, cost, start) {
      const time = now();
      if (time >= periodEnd) startPeriod(time);
      const share = shareOf(callerKey);
      if (share !== latest) {
        latest = share;
        beforeLatestAt = latestAt;
      }
      latestAt = time;
      const ticket: Ticket = { share, cost, start, waitingSince: 0, stamp: 0 };
      if (queued === 0 && inFlight < limit.places() && mayStart(share, cost)) {
        begin(ticket);
        noteDemand(share);
        return ticket;
      }
      limit.pressed();
      if (queued >= queueMax || share.waiting.size >= mostOfOne) return null;
      ticket.waitingSince = time;
      if (share.waiting.size === 0 && !ring.includes(share)) ring.push(share);
      share.waiting.add(ticket);
      queued += 1;
      noteDemand(share);
      pump();
      return ticket;
    },
    leave(ticket) {
      if (ticket.share.waiting.delete(ticket)) queued -= 1;
    },
    release(ticket, sample) {
      limit.finished(ticket.stamp, sample);
      inFlight -= 1;
      ticket.share.inFlight -= 1;
      ticket.share.weight -= weightOf(ticket.cost);
      pump();
    },
    inFlight: () => inFlight,
    queued: () => queued,
  };
}

function rotate(ring: CallerShare[]): void {
  const first = ring.shift();
  if (first !== undefined) ring.push(first);
}

function weightOf(cost: number): number {
  return cost >= HEAVY_COST ? HEAVY_WEIGHT : 1;
}
