/** How one upstream request ended, for the limit. */
export interface LimitSample {
  /** Milliseconds from the request on the wire to the last byte of its response. */
  latencyMs: number;
  /**
   * `retrieve`: an answer to a retrieve, found or not. `refusal`: a credential was refused, which is as short as a retrieve but
   * need not take as long. `dropped`: authentik was too busy (503, 504, a deadline). `other` says nothing: lists take as long
   * as their rows, errors and aborted requests as long as anything.
   */
  kind: "retrieve" | "refusal" | "dropped" | "other";
}

/** How many requests may be in flight. */
export interface ConcurrencyLimit {
  /** Permits at this moment: a whole number, at least 1. */
  permits(): number;
  /** A request was sent; `inFlight` includes it. */
  started(inFlight: number): void;
  /** A request ended. */
  finished(sample: LimitSample): void;
}

const START = 8;
/** Authentik itself runs two workers by default: with fewer in flight one of them would idle. */
const FEWEST = 2;
const MOST = 256;

/** The gradient is worked out after so many samples, and not before so much time. */
const WINDOW_SAMPLES = 10;
const WINDOW_MS = 100;
/** Fewer latencies of a kind are no median. */
const FEWEST_LATENCIES = 3;
/** Latency may be so much above minRTT before the limit shrinks: Envoy's default is 0.25, with which p95 beside 500 keys was 3.3x. */
const BUFFER_SHARE = 0.15;
const BUFFER_MS = 5;
const GRADIENT_LEAST = 0.5;
const GRADIENT_MOST = 2;
/** A larger share of dropped requests means overload, whatever the others took. */
const DROPPED_SHARE = 0.1;

/** Below this gradient latencies are above minRTT, which may be out of date; above it, they have just confirmed it. */
const CONFIRMING_GRADIENT = 0.95;
const PROBE_INTERVAL_MS = 15_000;
const PROBE_INTERVAL_CONFIRMED_MS = 60_000;
const PROBE_SAMPLES = 6;
const PROBE_MOST_MS = 1_000;
/** A limit that stays at the bottom for so many windows may be held there by a wrong minRTT. */
const PINNED_WINDOWS = 5;

const KINDS = ["retrieve", "refusal"] as const;

/** A limit that somebody chose. */
export function createFixedLimit(permits: number): ConcurrencyLimit {
  return { permits: () => permits, started: () => {}, finished: () => {} };
}

/**
 * Finds from latencies how many requests authentik can use at once, 2 to 256, from 8: the gradient controller of Envoy's
 * adaptive concurrency filter, `limit = limit × gradient + √(limit × gradient)` with `gradient = (minRTT + buffer) / median latency`.
 *
 * As there, minRTT is measured every minute, or when the limit is pinned to the bottom, by holding all but two requests back
 * until some have been answered; unlike there, four times as often where latencies are above it: then requests wait at authentik
 * anyway, and holding them back costs little. The limit is left alone unless half of it is in use, as in Netflix's Gradient2,
 * and grows only where all of it is.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/adaptive_concurrency_filter
 * @see https://github.com/Netflix/concurrency-limits/blob/main/concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limit/Gradient2Limit.java
 * @param options.now a clock in milliseconds
 */
export function createGradientLimit({ now }: { now: () => number }): ConcurrencyLimit {
  let limit = START;
  /** Milliseconds; Infinity until a sample of the kind was seen. */
  const minRtt = { retrieve: Infinity, refusal: Infinity };
  /** When the running probe began; null while none runs. */
  let probeStart: number | null = null;
  let probedAt = now() - PROBE_INTERVAL_MS;
  let pinnedWindows = 0;
  let window = createWindow(now());

  const isProbing = (): boolean => {
    if (probeStart === null) return false;
    const time = now();
    if (window.samples < PROBE_SAMPLES && time - probeStart < PROBE_MOST_MS) return true;
    for (const kind of KINDS) {
      if (window[kind].length >= FEWEST_LATENCIES) minRtt[kind] = median(window[kind]);
    }
    probeStart = null;
    probedAt = time;
    pinnedWindows = 0;
    window = createWindow(time);
    return false;
  };

  const gradientNow = (): number => {
    const gradients: number[] = [];
    for (const kind of KINDS) {
      const latencies = window[kind];
      if (latencies.length < FEWEST_LATENCIES) continue;
      // Until a probe has measured it, the lowest latency stands in.
      if (minRtt[kind] === Infinity) minRtt[kind] = Math.min(...latencies);
      const allowed = minRtt[kind] + Math.max(minRtt[kind] * BUFFER_SHARE, BUFFER_MS);
      for (const latency of latencies) gradients.push(allowed / latency);
    }
    if (window.dropped > DROPPED_SHARE * window.samples) return GRADIENT_LEAST;
    if (gradients.length === 0) return 1;
    return Math.min(GRADIENT_MOST, Math.max(GRADIENT_LEAST, median(gradients)));
  };

  const adapt = (time: number): void => {
    const gradient = gradientNow();
    const { mostInFlight } = window;
    window = createWindow(time);
    if (mostInFlight * 2 < limit) return;
    const scaled = Math.max(FEWEST, limit * gradient);
    const next = Math.min(MOST, scaled + Math.sqrt(scaled));
    if (next < limit || mostInFlight >= Math.floor(limit)) limit = next;

    pinnedWindows = gradient === GRADIENT_LEAST ? pinnedWindows + 1 : 0;
    const interval = gradient < CONFIRMING_GRADIENT ? PROBE_INTERVAL_MS : PROBE_INTERVAL_CONFIRMED_MS;
    if (time - probedAt >= interval || pinnedWindows >= PINNED_WINDOWS) probeStart = time;
  };

  return {
    permits: () => (isProbing() ? FEWEST : Math.floor(limit)),
    started(inFlight) {
      window.mostInFlight = Math.max(window.mostInFlight, inFlight);
    },
    finished({ latencyMs, kind }) {
      if (kind === "other") return;
      const time = now();
      if (probeStart !== null) {
        // What was sent before the probe waits behind more than the probe lets out.
        if (kind === "dropped" || time - latencyMs < probeStart) return;
      }
      window.samples += 1;
      if (kind === "dropped") window.dropped += 1;
      else window[kind].push(latencyMs);
      if (isProbing()) return;
      if (window.samples >= WINDOW_SAMPLES && time - window.startedAt >= WINDOW_MS) adapt(time);
    },
  };
}

/** Samples since the limit was last worked out, or since a probe began. */
interface SampleWindow {
  startedAt: number;
  samples: number;
  dropped: number;
  /** Latencies in milliseconds. */
  retrieve: number[];
  refusal: number[];
  mostInFlight: number;
}

function createWindow(startedAt: number): SampleWindow {
  return { startedAt, samples: 0, dropped: 0, retrieve: [], refusal: [], mostInFlight: 0 };
}

/** The lower one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
