import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { createBaselines } from "./latency-baselines.ts";
import { createQuietPhase } from "./quiet-phase.ts";

const START = 8;
const FEWEST = 2;
const MOST = 256;

/** A decision needs so many answers and so much time; or few, when they come so slowly. */
const WINDOW_ANSWERS = 10;
const WINDOW_MS = 50;
const SLOW_WINDOW_ANSWERS = 4;
const SLOW_WINDOW_MS = 500;
/** Enough for a median; the others of a busy window only count. */
const RATIOS_AT_MOST = 200;
/** Latency may be so much above that of a quiet authentik before the limit shrinks. */
const TOLERANCE = 1.2;
/** Above this calls wait at authentik: what it serves is all it can. */
const SATURATED = 1.35;
/** One answer counts as no slower than this, so that no single one decides. */
const RATIO_AT_MOST = 5;
/** How often a capacity that was not reached again grows, in case it was a mistake; and by which factor. */
const CAPACITY_MS = 10_000;
const CAPACITY_GROWTH = 1.1;
/** A larger share of dropped calls than this means that authentik is overloaded, whatever the others took. */
const DROPPED_SHARE = 0.1;
/** What timers and sockets add to a latency that is not authentik's. */
const NOISE_MS = 2;
/** An answer waits in our own event loop for about so many of its turns. */
const OWN_TURNS = 2;

export interface AdaptiveLimitOptions {
  /** A clock in milliseconds. */
  now: () => number;
  /** Milliseconds that a turn of this process's own event loop took on average since the last call. */
  ownTurnMs: () => number;
}

/**
 * Finds how many calls authentik can serve at once, from latencies alone.
 *
 * Every window of answers compares their latency with that of a quiet authentik (at most two calls in flight, answers of the
 * same size). The limit goes half of the way to `limit × 1.2 × quiet / now + √limit`, between 2 and 256; it grows only while
 * calls wait for a place, so an idle gateway learns nothing wrong. Where latencies stay above the quiet ones, those are measured
 * again from time to time by holding back all but two calls for a few answers.
 */
export function createAdaptiveLimit({ now, ownTurnMs }: AdaptiveLimitOptions): ConcurrencyLimit {
  const baselines = createBaselines();
  const quietPhase = createQuietPhase();
  let limit = START;
  /** Until calls have waited at authentik for the first time the limit grows by half instead of little by little. */
  let exploring = true;
  let capacity = Infinity;
  let capacitySeenAt = -Infinity;
  /** Counts the moments with more than two in flight: a call that saw none is a quiet one. */
  let crowds = 0;

  // The current window.
  let windowStart = now();
  let ratios: number[] = [];
  let answers = 0;
  let dropped = 0;
  let pressed = false;
  let mostInFlight = 0;
  /** What the answers of this window took or would have taken from a quiet authentik, added up. */
  let workMs = 0;
  let ownMs = NOISE_MS;

  const startWindow = (time: number): void => {
    windowStart = time;
    ratios = [];
    answers = 0;
    dropped = 0;
    pressed = false;
    mostInFlight = 0;
    workMs = 0;
    ownMs = NOISE_MS + OWN_TURNS * ownTurnMs();
  };

  const noteCapacity = (time: number, served: number): void => {
    // The mean, not the median: where few retrieves wait behind many lists, most answers are as fast as ever.
    const mean = ratios.reduce((sum, ratio) => sum + Math.min(ratio, RATIO_AT_MOST), 0) / ratios.length;
    if (mean > SATURATED) {
      capacity = capacity === Infinity ? served : (capacity + served) / 2;
      capacitySeenAt = time;
    } else if (capacity !== Infinity) {
      if (served > capacity) capacity = served;
      if (time - capacitySeenAt < CAPACITY_MS) return;
      capacity *= CAPACITY_GROWTH;
      capacitySeenAt = time;
    }
  };

  const decide = (time: number): void => {
    const ratio = ratios.length === 0 ? 1 : median(ratios);
    quietPhase.consider({ time, ratio, pressed, limit });
    // What quiet means is doubted: nothing can be concluded from it.
    if (quietPhase.active()) return;
    noteCapacity(time, workMs / (time - windowStart));

    // With half of the places empty, latency says nothing about all of them.
    if (mostInFlight * 2 < limit) return;
    const overloaded = dropped > DROPPED_SHARE * (answers + dropped);
    if (ratio > SATURATED || overloaded) exploring = false;
    const gradient = Math.min(overloaded ? 0.7 : 1, Math.max(0.5, TOLERANCE / ratio));
    let target = limit * gradient;
    if (pressed && !overloaded) target += exploring ? limit : Math.sqrt(limit);
    limit = Math.min(MOST, Math.max(FEWEST, (limit + target) / 2));
  };

  return {
    places() {
      if (!quietPhase.active()) return Math.floor(limit);
      const time = now();
      if (!quietPhase.ends(time)) return FEWEST;
      startWindow(time);
      return Math.floor(limit);
    },
    isHolding: quietPhase.active,
    capacity: () => capacity,
    pressed() {
      pressed = true;
    },
    started(inFlight) {
      if (inFlight > mostInFlight) mostInFlight = inFlight;
      if (inFlight > FEWEST) {
        crowds += 1;
        return -1;
      }
      if (quietPhase.active()) quietPhase.started(now());
      return crowds;
    },
    finished(stamp, { latencyMs, bytes, outcome }) {
      if (outcome === "other") return;
      const time = now();
      if (outcome === "dropped") dropped += 1;
      else {
        if (stamp === crowds) {
          baselines.noteQuiet(bytes, latencyMs);
          quietPhase.answered();
        } else baselines.noteBusy(bytes, latencyMs);
        const expected = baselines.expected(bytes);
        workMs += expected;
        answers += 1;
        if (answers <= RATIOS_AT_MOST) {
          ratios.push(latencyMs - expected <= ownMs ? 1 : (latencyMs - ownMs) / expected);
        }
      }
      if (quietPhase.active()) {
        if (quietPhase.ends(time)) startWindow(time);
        return;
      }
      const elapsedMs = time - windowStart;
      const enough =
        (answers + dropped >= WINDOW_ANSWERS && elapsedMs >= WINDOW_MS) ||
        (answers + dropped >= SLOW_WINDOW_ANSWERS && elapsedMs >= SLOW_WINDOW_MS);
      if (!enough) return;
      decide(time);
      startWindow(time);
    },
  };
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[Math.floor((values.length - 1) / 2)] ?? 1;
}
