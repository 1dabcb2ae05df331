import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AuthentikState, Usage } from "./authentik/client.ts";
import { createHistogram } from "./metrics/histogram.ts";
import type { MetricsSnapshot } from "./metrics/families.ts";
import type { RequestRecord } from "./server/pending-request.ts";

/** What is read when somebody asks. */
export interface MetricsSources {
  version: string;
  authentikState: () => AuthentikState;
  operationsInFlight: () => number;
  connections: () => number;
  draining: () => boolean;
  droppedLogLines: () => number;
}

/** The numbers of one process. */
export interface Metrics {
  /** Counts a finished request. Cheap: every request pays for it. */
  record: (record: RequestRecord) => void;
  countUnhandledRejection: () => void;
  /** The values now. Starts a new window for the event loop's delay. */
  snapshot: () => MetricsSnapshot;
}

const DURATION_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const COUNT_BOUNDS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
/** Codes are the gateway's own and few; should one ever come from elsewhere, it cannot grow the process. */
const MAX_CODES = 64;
const DELAY_RESOLUTION_MS = 20;

type Counter = Record<string, number>;

/** Starts counting. */
export function createMetrics(sources: MetricsSources): Metrics {
  const duration = createHistogram(DURATION_BOUNDS_SECONDS);
  const restPerOperation = createHistogram(COUNT_BOUNDS);
  const keysPerOperation = createHistogram(COUNT_BOUNDS);
  const outcomes = { ok: 0, error: 0, "client-left": 0 };
  const errors = new Map<string, number>();
  const statuses = new Map<number, number>();
  const totals = noUsage();
  let shared = 0;
  let unhandledRejections = 0;
  const eventLoopDelay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  eventLoopDelay.enable();

  return {
    record: (record) => {
      if (record.outcome === "client-left") outcomes["client-left"] += 1;
      else if (record.codes.length > 0 || record.status >= 400) outcomes.error += 1;
      else outcomes.ok += 1;
      statuses.set(record.status, (statuses.get(record.status) ?? 0) + 1);
      duration.observe(record.durationMs / 1000);
      if (record.shared) shared += 1;
      for (const code of record.codes) {
        const key = errors.has(code) || errors.size < MAX_CODES ? code : "OTHER";
        errors.set(key, (errors.get(key) ?? 0) + 1);
      }
      if (record.usage === null) return;
      restPerOperation.observe(record.usage.restCalls);
      keysPerOperation.observe(record.usage.keysRequested);
      addUsage(totals, record.usage);
    },
    countUnhandledRejection: () => (unhandledRejections += 1),
    snapshot: () => ({
      build: { [`{version="${harmless(sources.version)}",node="${process.version}"}`]: 1 },
      operations: labelled("outcome", Object.entries(outcomes)),
      errors: labelled("code", errors),
      responses: labelled("status", statuses),
      duration: duration.series(),
      restPerOperation: restPerOperation.series(),
      keysPerOperation: keysPerOperation.series(),
      sharedOperations: { "": shared },
      ...usageSeries(totals),
      ...authentikSeries(sources.authentikState()),
      operationsInFlight: { "": sources.operationsInFlight() },
      connections: { "": sources.connections() },
      draining: { "": sources.draining() ? 1 : 0 },
      ...processSeries(),
      eventLoopDelay: { "": takeDelaySeconds(eventLoopDelay) },
      unhandledRejections: { "": unhandledRejections },
      droppedLogLines: { "": sources.droppedLogLines() },
    }),
  };
}

function labelled(label: string, values: Iterable<readonly [string | number, number]>): Counter {
  return Object.fromEntries(
    Array.from(values, ([value, count]) => [`{${label}="${harmless(value)}"}`, count]),
  );
}

function harmless(value: string | number): string {
  return String(value).replaceAll(/[^\w.-]/g, "_");
}

function noUsage(): Usage {
  return {
    restCalls: 0,
    sharedCalls: 0,
    retries: 0,
    queuedMs: 0,
    rowsListed: 0,
    keysRequested: 0,
    keysFetched: 0,
  };
}

function addUsage(totals: Usage, usage: Usage): void {
  totals.restCalls += usage.restCalls;
  totals.sharedCalls += usage.sharedCalls;
  totals.retries += usage.retries;
  totals.queuedMs += usage.queuedMs;
  totals.rowsListed += usage.rowsListed;
  totals.keysRequested += usage.keysRequested;
  totals.keysFetched += usage.keysFetched;
}

function usageSeries(totals: Usage): MetricsSnapshot {
  return {
    restCalls: { "": totals.restCalls },
    sharedCalls: { "": totals.sharedCalls },
    retries: { "": totals.retries },
    rowsListed: { "": totals.rowsListed },
    keysRequested: { "": totals.keysRequested },
    keysFetched: { "": totals.keysFetched },
    queuedSeconds: { "": totals.queuedMs / 1000 },
  };
}

function authentikSeries({ inFlight, queued, limit, breaker }: AuthentikState): MetricsSnapshot {
  const states = ["closed", "half-open", "open"] as const;
  return {
    restInFlight: { "": inFlight },
    restQueue: { "": queued },
    restLimit: { "": limit },
    breaker: labelled(
      "state",
      states.map((state) => [state, state === breaker ? 1 : 0]),
    ),
  };
}

function processSeries(): MetricsSnapshot {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    processCpu: { "": (user + system) / 1e6 },
    residentMemory: { "": rss },
    heapUsed: { "": heapUsed },
  };
}

function takeDelaySeconds(delay: ReturnType<typeof monitorEventLoopDelay>): number {
  // Node measures from one tick of its timer to the next, so that the timer's own interval is in every value.
  const seconds = delay.percentile(99) / 1e9 - DELAY_RESOLUTION_MS / 1000;
  delay.reset();
  return Math.max(0, seconds);
}
