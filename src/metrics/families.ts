/** A group of time series with one meaning. */
export interface Family {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** How the values of several workers become one. */
  readonly combine: "sum" | "max";
}

/** All that `/metrics` tells, in its order. No label ever holds what a client sent. */
export const families = {
  build: gauge("build_info", "Version of the gateway and of Node; the value is the number of processes."),
  operations: counter(
    "operations_total",
    "Finished requests to /graphql by outcome: ok, error, client-left.",
  ),
  errors: counter("operation_errors_total", "Finished requests that had an error with this code."),
  responses: counter("http_responses_total", "Finished requests to /graphql by HTTP status."),
  duration: histogram("operation_duration_seconds", "Time from the request to the end of its answer."),
  restPerOperation: histogram("operation_rest_calls", "REST calls that one operation sent to authentik."),
  keysPerOperation: histogram("operation_keys", "Keys that one operation asked its loaders for."),
  sharedOperations: counter("shared_operations_total", "Operations answered by an identical one in flight."),
  restCalls: counter("rest_calls_total", "REST calls sent to authentik, retries included."),
  sharedCalls: counter(
    "shared_rest_calls_total",
    "REST calls answered by another one in flight or the cache.",
  ),
  retries: counter("rest_retries_total", "REST calls sent a second time."),
  rowsListed: counter("rows_listed_total", "Rows read from lists of authentik."),
  keysRequested: counter("keys_requested_total", "Keys that loaders were asked for."),
  keysFetched: counter("keys_fetched_total", "Keys that loaders had to fetch; the rest were duplicates."),
  queuedSeconds: counter("rest_queued_seconds_total", "Time that REST calls waited for their turn."),
  operationsInFlight: gauge("operations_in_flight", "Operations being answered now."),
  connections: gauge("connections", "Connections of clients open now."),
  restInFlight: gauge("rest_calls_in_flight", "REST calls in flight to authentik now."),
  restQueue: gauge("rest_queue_length", "REST calls that wait for their turn now."),
  restLimit: gauge("rest_concurrency_limit", "REST calls that may be in flight at once now."),
  breaker: gauge("breaker_state", "1 for the state that the circuit breaker to authentik is in."),
  draining: gauge("draining", "Processes that are about to end."),
  eventLoopDelay: gauge(
    "event_loop_delay_p99_seconds",
    "99th percentile since the last scrape; worst worker.",
    "max",
  ),
  processCpu: counter("process_cpu_seconds_total", "CPU time of the processes."),
  residentMemory: gauge("process_resident_memory_bytes", "Memory of the processes."),
  heapUsed: gauge("process_heap_used_bytes", "JavaScript heap in use."),
  unhandledRejections: counter("unhandled_rejections_total", "Promises that failed with nobody to notice."),
  droppedLogLines: counter("dropped_log_lines_total", "Log lines lost because nobody read them fast enough."),
  workerRestarts: counter(
    "worker_restarts_total",
    "Workers that ended by themselves and were started again.",
  ),
} satisfies Record<string, Family>;

/** Which family. */
export type FamilyKey = keyof typeof families;

/** The values of one process: by family, then by what follows the family's name (`{code="OK"}`, `_sum`, or nothing). */
export type MetricsSnapshot = Partial<Record<FamilyKey, Readonly<Record<string, number>>>>;

function counter(name: string, help: string): Family {
  return { name: `authentik_graphql_${name}`, kind: "counter", help, combine: "sum" };
}

function gauge(name: string, help: string, combine: Family["combine"] = "sum"): Family {
  return { name: `authentik_graphql_${name}`, kind: "gauge", help, combine };
}

function histogram(name: string, help: string): Family {
  return { name: `authentik_graphql_${name}`, kind: "histogram", help, combine: "sum" };
}
