import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, type OpenMetricsContentType, type Registry } from "prom-client";
import type { AuthentikState } from "../authentik/client.ts";
import { describe, type MetricName } from "./metric-names.ts";

/** What is read at the moment when somebody asks for the metrics. */
export interface Readings {
  version: string;
  authentikState: () => AuthentikState;
  /** Whether authentik was there when last asked; null while nobody has asked. */
  upstreamUp: () => boolean | null;
  /** Whether authentik accepts the gateway's own token; null while unknown. Absent where callers bring theirs. */
  serviceCredentialsValid?: (() => boolean | null) | undefined;
  operationsInFlight: () => number;
  connections: () => number;
  draining: () => boolean;
  droppedLogLines: () => number;
}

/** Adds what has a value at any time. */
export function registerReadings(registry: Registry<OpenMetricsContentType>, readings: Readings): void {
  const { version, authentikState, serviceCredentialsValid } = readings;
  /** A value that is null is not told. */
  const gauge = (name: MetricName, read: () => number | boolean | null) =>
    new Gauge({
      ...describe(name, registry),
      collect() {
        const value = read();
        if (value === null) this.remove();
        else this.set(Number(value));
      },
    });
  const stateGauge = (name: MetricName, states: readonly string[], read: () => string) =>
    new Gauge({
      ...describe(name, registry),
      labelNames: ["state"],
      collect() {
        const current = read();
        for (const state of states) this.set({ state }, Number(state === current));
      },
    });

  const build = { version, node: process.version };
  new Gauge({ ...describe("build_info", registry), labelNames: ["version", "node"] }).set(build, 1);
  gauge("operations_in_flight", readings.operationsInFlight);
  gauge("connections", readings.connections);
  gauge("rest_calls_in_flight", () => authentikState().inFlight);
  gauge("rest_queue_length", () => authentikState().queued);
  gauge("rest_concurrency_limit", () => authentikState().limit);
  stateGauge("breaker_state", ["closed", "half-open", "open"], () => authentikState().breaker);
  gauge("upstream_up", readings.upstreamUp);
  if (serviceCredentialsValid) gauge("service_credentials_valid", serviceCredentialsValid);
  gauge("draining", readings.draining);
  const ofProcess = createProcessReadings();
  gauge("event_loop_delay_p99_seconds", () => ofProcess().delaySeconds);
  gauge("process_resident_memory_bytes", () => ofProcess().rss);
  gauge("process_heap_used_bytes", () => ofProcess().heapUsed);
  readCounter("process_cpu_seconds_total", registry, () => ofProcess().cpuSeconds);
  readCounter("dropped_log_lines_total", registry, readings.droppedLogLines);
}

/** Adds a counter of what is counted elsewhere. */
export function readCounter(
  name: MetricName,
  registry: Registry<OpenMetricsContentType>,
  read: () => number,
): Counter {
  return new Counter({
    ...describe(name, registry),
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

const PROCESS_INTERVAL_MS = 100;

/** What the process takes, looked up ten times a second at most: it is a quarter of the work of a scrape. */
function createProcessReadings() {
  const delaySeconds = watchEventLoopDelay();
  const read = () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed, cpuSeconds: (user + system) / 1e6, delaySeconds: delaySeconds() };
  };
  let known: ReturnType<typeof read> | null = null;
  let readMs = 0;
  return () => {
    const nowMs = performance.now();
    if (known !== null && nowMs - readMs < PROCESS_INTERVAL_MS) return known;
    readMs = nowMs;
    return (known = read());
  };
}

const DELAY_RESOLUTION_MS = 20;
const DELAY_WINDOW_MS = 15_000;

/**
 * The 99th percentile in seconds, when asked: the worse of two windows, the last whole one and the running one. A timer
 * begins them, not a scrape, so that any number of scrapers may look.
 */
function watchEventLoopDelay(): () => number {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  // Node measures from one tick of its timer to the next, so that the timer's own interval is in every value.
  const running = (): number => Math.max(0, delay.percentile(99) / 1e9 - DELAY_RESOLUTION_MS / 1000);
  let whole = 0;
  setInterval(() => {
    whole = running();
    delay.reset();
  }, DELAY_WINDOW_MS).unref();
  return () => Math.max(whole, running());
}
