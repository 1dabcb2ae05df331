export type Usage = ReturnType<typeof createUsage>;

/** What something cost so far: nothing yet. */
export function createUsage() {
  return {
    /** Requests sent to authentik, retries included. */
    restCalls: 0,
    /** Requests that another one, in flight or of the same operation, or the cache answered. */
    sharedCalls: 0,
    retries: 0,
    /** Milliseconds that requests waited for a permit, added up. */
    queuedMs: 0,
    /** Rows of the lists among those requests: work of authentik's, wanted or not. */
    rowsListed: 0,
    /** Keys that loaders were asked for and keys they had to fetch; counted by the loaders. */
    keysRequested: 0,
    keysFetched: 0,
  };
}

/** Counts what one operation costs. */
export interface Tally {
  /** The operation's own, read when it is logged. */
  readonly usage: Readonly<Usage>;
  readonly count: (what: keyof Usage, amount?: number) => void;
}

/** @param total is added to at once: work that others share goes on when the operation that began it is over and logged */
export function createTally(total: Usage): Tally {
  const usage = createUsage();
  return {
    usage,
    count(what, amount = 1) {
      usage[what] += amount;
      total[what] += amount;
    },
  };
}
