import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { createBaselines } from "./latency-baselines.ts";

const START = 8;
const FEWEST = 2;
const MOST = 256;

/** A decision needs so many answers and so much time. */
const WINDOW_SAMPLES = 10;
const WINDOW_MS = 50;
/** Latency may be so much above that of a quiet authentik before the limit shrinks. */
const TOLERANCE = 1.2;
/** Above this the baseline deserves to be measured anew now and then; below, it has just been confirmed. */
const SUSPICIOUS = 1.3;
/** How long a baseline is believed while latencies are above it; longer for large limits, which a pause costs more. */
const BELIEVED_MS = 5_000;
const BELIEVED_LARGE_MS = 15_000;
/** A measurement with two calls in flight ends after so many answers, or so much time. */
const QUIET_SAMPLES = 6;
const QUIET_AT_MOST_MS = 1_000;
/** What timers, sockets and our own event loop add to a latency that is not authentik's. */
const NOISE_MS = 2;

export interface AdaptiveLimitOptions {
  /** A clock in milliseconds. */
  now: () => number;
  /** Milliseconds that this process's own event loop takes for one turn at present. */
  ownTurnMs: () => number;
}

/**
 * Finds how many calls authentik can serve at once, from latencies alone.
 *
 * Every window of answers compares their latency with that of a quiet authentik (at most two calls in flight, answers of
 * the same size): `limit × quiet / now + √limit`, half of the way each time, between 2 and 256. It grows only while calls
 * wait for a place, so an idle gateway learns nothing wrong. Where latencies stay above the quiet ones, the quiet ones are
 * measured again from time to time by holding back all but two calls for a few answers.
 */
export function createAdaptiveLimit({ now, ownTurnMs }: AdaptiveLimitOptions): ConcurrencyLimit {
  const baselines = createBaselines();
  let limit = START;
  let windowStart = now();
  let ratios: number[] = [];
  let dropped = 0;
  let samples = 0;
  let wasPressed = false;
  let peak = 0;
  /** Counts moments with more than two in flight: a call that saw none is a quiet one. */
  let crowds = 0;
  let believedSince = -Infinity;
  let ownMs = 0;
  let quietSince: number | null = null;
  let quietSamples = 0;

  const startWindow = (time: number): void => {
    windowStart = time;
    ratios = [];
    dropped = 0;
    samples = 0;
    wasPressed = false;
    peak = 0;
    ownMs = NOISE_MS + 2 * ownTurnMs();
  };

  const decide = (time: number): void => {
    const ratio = ratios.length === 0 ? null : median(ratios);
    if (ratio !== null && ratio <= SUSPICIOUS) believedSince = time;
    if (wasPressed && (ratio === null || ratio > SUSPICIOUS)) {
      const believedMs = limit > START ? BELIEVED_LARGE_MS : BELIEVED_MS;
      if (time - believedSince > believedMs) {
        quietSince = time;
        quietSamples = 0;
      }
    }
    let gradient = ratio === null ? 1 : Math.min(1, Math.max(0.5, TOLERANCE / ratio));
    if (dropped * 10 > samples) gradient = Math.min(gradient, 0.7);
    const used = peak * 2 >= limit;
    if (!used || (ratio === null && dropped === 0)) return;
    const headroom = wasPressed ? Math.sqrt(limit) : 0;
    const target = limit * gradient + headroom;
    limit = Math.min(MOST, Math.max(FEWEST, limit + 0.5 * (target - limit)));
  };

  return {
    places: () => (quietSince === null ? Math.floor(limit) : FEWEST),
    pressed() {
      wasPressed = true;
    },
    started(inFlight) {
      if (inFlight > peak) peak = inFlight;
      if (inFlight <= FEWEST) return crowds;
      crowds += 1;
      return -1;
    },
    finished(stamp, _inFlight, { latencyMs, bytes, outcome }) {
      if (outcome === "other") return;
      const time = now();
      samples += 1;
      if (outcome === "dropped") dropped += 1;
      else {
        const quiet = stamp === crowds;
        if (quiet) baselines.quiet(bytes, latencyMs, time);
        const expected = baselines.expected(bytes);
        if (expected !== null)
          ratios.push(latencyMs - expected <= ownMs ? 1 : (latencyMs - ownMs) / expected);
        if (quiet && quietSince !== null) quietSamples += 1;
      }
      if (quietSince !== null) {
        if (quietSamples < QUIET_SAMPLES && time - quietSince < QUIET_AT_MOST_MS) return;
        quietSince = null;
        believedSince = time;
        startWindow(time);
        return;
      }
      if (samples < WINDOW_SAMPLES || time - windowStart < WINDOW_MS) return;
      decide(time);
      startWindow(time);
    },
  };
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[Math.floor((values.length - 1) / 2)] ?? 1;
}
