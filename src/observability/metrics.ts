import type { IncomingMessage, ServerResponse } from "node:http";
import {
  Counter,
  Histogram,
  type Metric,
  type OpenMetricsContentType,
  Registry,
  type RegistryContentType,
} from "prom-client";
import type { UpstreamObservation } from "../authentik/request.ts";
import type { Usage } from "../authentik/usage.ts";
import type { RequestRecord } from "./log.ts";
import { describe, type MetricName } from "./metric-names.ts";
import { readCounter, type Readings, registerReadings } from "./readings.ts";

/** What the numbers are made of, besides what is recorded. */
export interface MetricsOptions extends Readings {
  /** Path of the graph; finished requests to any other one are counted apart. */
  endpoint: string;
  /** What all operations cost authentik so far. */
  usage: Readonly<Usage>;
}

/** The numbers of this process. No label ever holds what a client sent. */
export type Metrics = ReturnType<typeof createMetrics>;

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const COUNT_BUCKETS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

const USAGE_COUNTERS = [
  ["restCalls", "rest_calls_total"],
  ["sharedCalls", "shared_rest_calls_total"],
  ["retries", "rest_retries_total"],
  ["rowsListed", "rows_listed_total"],
  ["keysRequested", "keys_requested_total"],
  ["keysFetched", "keys_fetched_total"],
] as const;

/** Starts counting, in a registry of its own. */
export function createMetrics({ endpoint, usage: total, ...readings }: MetricsOptions) {
  // prom-client has exemplars for this content type only; what is served is a view of it.
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const counter = <Label extends string = never>(name: MetricName, labelNames: Label[] = []) =>
    new Counter({ ...describe(name, registry), labelNames });
  const histogram = <Label extends string = never>(
    name: MetricName,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram({ ...describe(name, registry), buckets, labelNames, enableExemplars: true });

  const operations = counter("operations_total", ["outcome"]);
  for (const outcome of ["ok", "error", "client-left"]) operations.inc({ outcome }, 0);
  const errors = counter("operation_errors_total", ["code"]);
  const responses = counter("http_responses_total", ["status"]);
  const otherRequests = counter("other_requests_total", ["status"]);
  const duration = histogram("operation_duration_seconds", DURATION_BUCKETS_SECONDS);
  const restCallsEach = histogram("operation_rest_calls", COUNT_BUCKETS);
  const keysEach = histogram("operation_keys", COUNT_BUCKETS);
  const upstreamDuration = histogram("upstream_request_duration_seconds", DURATION_BUCKETS_SECONDS, [
    "route",
    "outcome",
  ]);
  const sharedOperations = counter("shared_operations_total");
  for (const [name, metric] of USAGE_COUNTERS) readCounter(metric, registry, () => total[name]);
  readCounter("rest_queued_seconds_total", registry, () => total.queuedMs / 1000);
  const unhandledRejections = counter("unhandled_rejections_total");
  registerReadings(registry, readings);
  const prometheus = viewOf(registry, Registry.PROMETHEUS_CONTENT_TYPE);
  const openMetrics = viewOf(registry, Registry.OPENMETRICS_CONTENT_TYPE);

  return {
    /** Counts a finished request. */
    record({ method, path, status, outcome, codes, durationMs, shared, usage, traceId }: RequestRecord) {
      // What browsers ask before an operation is none.
      if (path !== endpoint || method === "OPTIONS") {
        otherRequests.inc({ status });
        return;
      }
      const failed = codes.length > 0 || status >= 400;
      operations.inc({ outcome: outcome === "client-left" ? outcome : failed ? "error" : "ok" });
      responses.inc({ status });
      duration.observe({ value: durationMs / 1000, ...exemplarOf(traceId) });
      for (const code of codes) errors.inc({ code });
      if (shared) sharedOperations.inc();
      if (usage === null) return;
      restCallsEach.observe({ value: usage.restCalls });
      keysEach.observe({ value: usage.keysRequested });
    },
    observeUpstreamRequest({ route, outcome, durationMs, traceId }: UpstreamObservation) {
      const labels = { route, outcome: outcome.replaceAll("-", "_") };
      upstreamDuration.observe({ labels, value: durationMs / 1000, ...exemplarOf(traceId) });
    },
    countUnhandledRejection: () => unhandledRejections.inc(),
    /** Answers `/metrics` in Prometheus' text format, or in that of OpenMetrics, with exemplars, for who accepts it. */
    serve: async ({ headers: { accept = "" } }: IncomingMessage, response: ServerResponse): Promise<void> => {
      const view = accept.includes("application/openmetrics-text") ? openMetrics : prometheus;
      const text = await view.metrics();
      const headers = { "Content-Type": view.contentType, "Cache-Control": "no-store", Vary: "Accept" };
      response.writeHead(200, headers).end(text);
    },
  };
}

/** Leads from a bar of a histogram to one trace in it. */
function exemplarOf(traceId: string | undefined): { exemplarLabels?: Record<string, string> } {
  return traceId === undefined ? {} : { exemplarLabels: { trace_id: traceId } };
}

/** All metrics in one of the two formats. */
function viewOf(registry: Registry<OpenMetricsContentType>, contentType: RegistryContentType) {
  const view = new Registry<RegistryContentType>();
  view.setContentType(contentType);
  // For OpenMetrics prom-client takes `_total` off the names of counters for good, so that it gets objects of its own to
  // rename, which share everything else.
  for (const { name } of registry.getMetricsAsArray()) {
    const metric: Metric = Object.create(registry.getSingleMetric(name) ?? null);
    view.registerMetric(metric);
  }
  return view;
}
