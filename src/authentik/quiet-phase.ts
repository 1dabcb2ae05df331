/** Decides when all but two calls are held back for a moment, to see how fast a quiet authentik is. */
export interface QuietPhase {
  active: () => boolean;
  /** After a window of answers: begins a phase if it is due. `ratio` is latency now over quiet latency. */
  consider(window: { time: number; ratio: number; pressed: boolean; limit: number }): void;
  /** A call was sent with at most two in flight. */
  started(time: number): void;
  /** A quiet call was answered, in or outside a phase. */
  answered(): void;
  /** Whether this moment ends the phase. */
  ends(time: number): boolean;
}

/** Above this ratio the quiet latency deserves to be measured again; below, it has just been confirmed. */
const SUSPICIOUS = 1.3;
/** How long it is believed while latencies are above it; longer for large limits, which a pause costs more. */
const BELIEVED_MS = 5_000;
const BELIEVED_LARGE_MS = 15_000;
const LARGE = 16;
/** When latencies have jumped, the server may have changed rather than its load: it is measured soon. */
const SOON_MS = 300;
/** How long latencies stay low after a phase because of it. */
const SETTLING_MS = 1_000;
/** But never more often than this. */
const BETWEEN_MS = 3_000;
/** A phase ends after so many answers, or so much time since two calls were left in flight. */
const ANSWERS = 6;
const AT_MOST_MS = 1_000;
/** Or, since some calls may hang, after so much time in all. */
const IN_ALL_MS = 2_000;

export function createQuietPhase(): QuietPhase {
  let active = false;
  let beganAt = 0;
  let answers = 0;
  let drainedAt: number | null = null;
  let measuredAt = -Infinity;
  let believedSince = -Infinity;
  let suspiciousSince: number | null = null;

  const isDue = (time: number, limit: number): boolean => {
    if (answers < ANSWERS) return true;
    if (suspiciousSince === null || time - measuredAt < BETWEEN_MS) return false;
    const hasJumped = measuredAt < suspiciousSince && time - suspiciousSince >= SOON_MS;
    return hasJumped || time - believedSince > (limit > LARGE ? BELIEVED_LARGE_MS : BELIEVED_MS);
  };

  return {
    active: () => active,
    consider({ time, ratio, pressed, limit }) {
      if (ratio <= SUSPICIOUS) {
        believedSince = time;
        // Just after a phase authentik is still quiet: what it had waiting before will come back, and is no jump.
        if (time - measuredAt > SETTLING_MS) suspiciousSince = null;
      } else suspiciousSince ??= time;
      if (!pressed || !isDue(time, limit)) return;
      active = true;
      beganAt = time;
      answers = 0;
      drainedAt = null;
    },
    started(time) {
      if (active) drainedAt ??= time;
    },
    answered() {
      answers += 1;
    },
    ends(time) {
      if (!active) return false;
      const goesOn = time - beganAt < IN_ALL_MS && (drainedAt === null || time - drainedAt < AT_MOST_MS);
      if (answers < ANSWERS && goesOn) return false;
      active = false;
      answers = ANSWERS;
      measuredAt = time;
      believedSince = time;
      return true;
    },
  };
}
