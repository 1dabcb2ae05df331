import type { OpenMetricsContentType, Registry } from "prom-client";

/** All that `/metrics` tells. Names are for dashboards and alerts of others: they stay. */
const HELP = {
  build_info: "Version of the gateway and of Node; the value is 1.",
  operations_total: "Finished requests to /graphql by outcome: ok, error, client-left.",
  operation_errors_total: "Finished requests that had an error with this code.",
  http_responses_total: "Finished requests to /graphql by HTTP status.",
  other_requests_total: "Finished requests for no operation (other paths, preflights), by HTTP status.",
  operation_duration_seconds: "Time from the request to the end of its answer.",
  operation_rest_calls: "REST calls that one operation sent to authentik.",
  operation_keys: "Keys that one operation asked its loaders for.",
  shared_operations_total: "Operations answered by an identical one in flight.",
  upstream_request_duration_seconds: "Time that authentik took for a REST call, by route and outcome.",
  rest_calls_total: "REST calls sent to authentik, retries included.",
  shared_rest_calls_total:
    "REST calls answered by another one, in flight or of the same operation, or the cache.",
  rest_retries_total: "REST calls sent a second time.",
  rows_listed_total: "Rows read from lists of authentik.",
  keys_requested_total: "Keys that loaders were asked for.",
  keys_fetched_total: "Keys that loaders had to fetch; the rest were duplicates.",
  rest_queued_seconds_total: "Time that REST calls waited in the queue.",
  operations_in_flight: "Operations being answered now.",
  connections: "Connections of clients open now.",
  rest_calls_in_flight: "REST calls in flight to authentik now.",
  rest_queue_length: "REST calls that wait in the queue now.",
  rest_concurrency_limit: "REST calls that may be in flight at once now.",
  breaker_state: "1 for the state that the circuit breaker to authentik is in.",
  upstream_up: "1 if authentik was there when last asked, 0 if not; absent while nobody has asked.",
  service_credentials_valid:
    "1 if authentik accepts AUTHENTIK_TOKEN, 0 if it refuses it; in service mode only.",
  draining: "1 if the process is about to end.",
  event_loop_delay_p99_seconds: "99th percentile of the event loop's delay over the last 15 to 30 seconds.",
  process_cpu_seconds_total: "CPU time of the process.",
  process_resident_memory_bytes: "Memory of the process.",
  process_heap_used_bytes: "JavaScript heap in use.",
  unhandled_rejections_total: "Promises that failed with nobody to notice.",
  dropped_log_lines_total: "Log lines lost because nobody read them fast enough.",
};

/** A metric without the prefix that all have. */
export type MetricName = keyof typeof HELP;

/** What prom-client makes any metric of. */
export function describe(name: MetricName, registry: Registry<OpenMetricsContentType>) {
  return { name: `authentik_graphql_${name}`, help: HELP[name], registers: [registry] };
}
