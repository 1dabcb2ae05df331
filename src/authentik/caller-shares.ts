import type { ConcurrencyLimit } from "./concurrency-limit.ts";

/** What one caller holds and wants. */
export interface CallerShare {
  inFlight: number;
  /** Weight of what is in flight: a long list counts as several calls. */
  weight: number;
  /** Calls that wait for a place. */
  waiting: number;
  /** Most calls wanted at once, in this period and the one before. */
  peak: number;
  previousPeak: number;
}

/** Who is active, and how much of the places each may use. */
export interface CallerShares<Share extends CallerShare> {
  /** Notes that this caller calls now, and gives its share. */
  calling(callerKey: string, time: number): Share;
  /** Notes how much it wants, once that has grown. */
  noteDemand(share: Share): void;
  /** Whether it may have one more call in flight, of this weight. */
  mayStart(share: Share, weight: number): boolean;
}

/** A caller counts as active for one to two of these after its last call. */
const PERIOD_MS = 5_000;
/** A caller counts as present for so long: room at authentik itself is kept for it. */
const PRESENT_MS = 1_000;
/** Where nobody is present, authentik may have so much more than it works on at once. */
const SLACK = 1.5;

/**
 * Shares are what makes a newcomer quick. authentik serves first come, first served: whoever already has all places filled
 * makes the next caller wait behind all of it, however fair the queue on our side is. While others called within the last
 * second, each has its equal part where all want that; where the others want less, a caller may use what they leave, and keeps
 * their room at authentik itself free. While nobody is present, a caller may have half as much again in flight as authentik
 * works on at once, so that hardly anything waits there. Everybody may always have one call, and who is alone everything.
 */
export function createCallerShares<Share extends CallerShare>(
  limit: ConcurrencyLimit,
  now: () => number,
  createShare: () => Share,
): CallerShares<Share> {
  const shares = new Map<string, Share>();
  /** Sum of what all active callers lately wanted at once. */
  let demand = 0;
  let periodEnd = now() + PERIOD_MS;
  /** Who called last and when, and when somebody else called last before that. */
  let latest: Share | null = null;
  let latestAt = -Infinity;
  let beforeLatestAt = -Infinity;

  const startPeriod = (time: number): void => {
    const missed = time > periodEnd + PERIOD_MS;
    periodEnd = time + PERIOD_MS;
    demand = 0;
    for (const [key, share] of shares) {
      const wanted = share.inFlight + share.waiting;
      share.previousPeak = missed ? wanted : share.peak;
      share.peak = wanted;
      if (share.previousPeak === 0 && wanted === 0) shares.delete(key);
      else demand += Math.max(share.peak, share.previousPeak);
    }
  };

  return {
    calling(callerKey, time) {
      if (time >= periodEnd) startPeriod(time);
      let share = shares.get(callerKey);
      if (share === undefined) {
        share = createShare();
        shares.set(callerKey, share);
      }
      if (share !== latest) {
        latest = share;
        beforeLatestAt = latestAt;
      }
      latestAt = time;
      return share;
    },
    noteDemand(share) {
      const wanted = share.inFlight + share.waiting;
      if (wanted <= share.peak) return;
      demand += Math.max(wanted, share.previousPeak) - Math.max(share.peak, share.previousPeak);
      share.peak = wanted;
    },
    mayStart(share, weight) {
      const active = shares.size;
      if (active < 2 || share.inFlight === 0) return true;
      const places = limit.places();
      const weightThen = share.weight + weight;
      const lastOfOthers = latest === share ? beforeLatestAt : latestAt;
      if (now() - lastOfOthers > PRESENT_MS) {
        // What others wanted once is no reason to leave places empty now.
        return weightThen <= Math.min(places, Math.floor(limit.capacity() * SLACK));
      }
      const equal = Math.floor(places / active);
      const wantedByOthers = demand - Math.max(share.peak, share.previousPeak);
      if (wantedByOthers >= equal * (active - 1)) return weightThen <= equal;
      const bearable = Math.round(limit.capacity() - wantedByOthers);
      return weightThen <= Math.min(places - wantedByOthers - 1, bearable);
    },
  };
}
