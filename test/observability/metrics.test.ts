import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { scrape, scrapeText, serveMetrics } from "./support/scrape.ts";
import { answered, elsewhere, eventful } from "./support/records.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

describe("the metrics", () => {
  test("count operations by outcome, cost and code", async () => {
    const { metrics, url } = await serveMetrics();
    metrics.record({ ...answered, shared: true });
    metrics.record({ ...answered, outcome: "client-left", status: 499, usage: null });
    metrics.record(eventful);
    metrics.record({ ...answered, status: 503, codes: ["OVERLOADED"], usage: null });
    expect(await scrape(url)).toMatchObject({
      'operations_total{outcome="ok"}': 1,
      'operations_total{outcome="error"}': 2,
      'operations_total{outcome="client-left"}': 1,
      'operation_errors_total{code="OVERLOADED"}': 1,
      'operation_errors_total{code="UPSTREAM_UNAVAILABLE"}': 1,
      'http_responses_total{status="200"}': 1,
      'http_responses_total{status="499"}': 1,
      'operation_duration_seconds_bucket{le="0.01"}': 0,
      'operation_duration_seconds_bucket{le="0.025"}': 4,
      operation_duration_seconds_sum: 0.08,
      operation_duration_seconds_count: 4,
      'operation_rest_calls_bucket{le="2"}': 0,
      'operation_rest_calls_bucket{le="5"}': 2,
      operation_keys_sum: 20,
      shared_operations_total: 1,
      rest_calls_total: 6,
      shared_rest_calls_total: 2,
      rest_retries_total: 0,
      rows_listed_total: 200,
      keys_requested_total: 20,
      keys_fetched_total: 10,
      rest_queued_seconds_total: expect.closeTo(1.000256),
    });
  });

  test("count requests to other paths apart, and as nothing else", async () => {
    const { metrics, url } = await serveMetrics();
    metrics.record(elsewhere);
    metrics.record({ ...elsewhere, path: "/.env" });
    const samples = await scrape(url);
    expect(samples).toMatchObject({
      'other_requests_total{status="404"}': 2,
      'operations_total{outcome="error"}': 0,
      operation_duration_seconds_count: 0,
    });
    expect(samples).not.toHaveProperty('http_responses_total{status="404"}');
    expect(samples).not.toHaveProperty('operation_errors_total{code="BAD_REQUEST"}');
  });

  test("count what browsers ask before an operation apart, as it is none", async () => {
    const { metrics, url } = await serveMetrics();
    metrics.record({ ...elsewhere, method: "OPTIONS", path: "/graphql", status: 204, codes: [] });
    expect(await scrape(url)).toMatchObject({
      'other_requests_total{status="204"}': 1,
      'operations_total{outcome="ok"}': 0,
      operation_duration_seconds_count: 0,
    });
  });

  test("tell how long authentik took, by route and outcome", async () => {
    const { metrics, url } = await serveMetrics();
    const route = "/sources/user_connections/plex/{id}/";
    metrics.observeUpstreamRequest({ route, outcome: "ok", durationMs: 30 });
    metrics.observeUpstreamRequest({ route, outcome: "not-found", durationMs: 3 });
    expect(await scrape(url)).toMatchObject({
      [`upstream_request_duration_seconds_bucket{le="0.05",route="${route}",outcome="ok"}`]: 1,
      [`upstream_request_duration_seconds_sum{route="${route}",outcome="not_found"}`]: 0.003,
    });
  });

  test("read the state of the process when they are asked for", async () => {
    let inFlight = 4;
    const { url } = await serveMetrics({ operationsInFlight: () => inFlight });
    expect(await scrape(url)).toMatchObject({ operations_in_flight: 4 });
    inFlight = 7;
    expect(await scrape(url)).toMatchObject({
      operations_in_flight: 7,
      connections: 5,
      rest_calls_in_flight: 2,
      rest_queue_length: 3,
      rest_concurrency_limit: 8,
      'breaker_state{state="closed"}': 0,
      'breaker_state{state="half-open"}': 1,
      'breaker_state{state="open"}': 0,
      draining: 0,
      dropped_log_lines_total: 6,
      process_cpu_seconds_total: expect.any(Number),
      process_resident_memory_bytes: expect.any(Number),
      process_heap_used_bytes: expect.any(Number),
    });
  });

  test("count what is read the same however often it is read", async () => {
    const { metrics, url } = await serveMetrics();
    metrics.countUnhandledRejection();
    await Promise.all([scrapeText(url), scrapeText(url, "application/openmetrics-text"), scrapeText(url)]);
    expect(await scrape(url)).toMatchObject({ dropped_log_lines_total: 6, unhandled_rejections_total: 1 });
  });

  test.each([
    [true, 1],
    [false, 0],
    [null, undefined],
  ])("say whether authentik is there and takes the gateway's token: %s", async (known, value) => {
    const { url } = await serveMetrics({ upstreamUp: () => known, serviceCredentialsValid: () => known });
    const samples = await scrape(url);
    expect([samples["upstream_up"], samples["service_credentials_valid"]]).toEqual([value, value]);
  });

  test("say nothing of a token of the gateway where callers bring theirs", async () => {
    const { url } = await serveMetrics();
    expect(await scrapeText(url)).not.toContain("service_credentials_valid");
  });

  test("show a blocked event loop to every scraper", async () => {
    const { url } = await serveMetrics();
    // The delay is measured between ticks: one must have been before, and one must come after.
    await sleep(100);
    const blockedUntil = performance.now() + 500;
    while (performance.now() < blockedUntil);
    await sleep(100);
    for (let scraper = 0; scraper < 3; scraper += 1) {
      expect((await scrape(url))["event_loop_delay_p99_seconds"]).toBeGreaterThan(0.1);
    }
  });

  test("have no label from a client, and codes that cannot grow without bound", async () => {
    const { metrics, url } = await serveMetrics();
    const canary = 'can"ary\n{}';
    metrics.record({ ...eventful, requestId: canary, method: canary, operation: { name: canary } });
    metrics.record({ ...elsewhere, path: canary });
    expect(await scrapeText(url)).not.toContain("can");
    for (let index = 0; index < 500; index += 1) metrics.record({ ...answered, codes: [`CODE_${index}`] });
    const codes = Object.keys(await scrape(url)).filter((name) => name.startsWith("operation_errors_total"));
    expect(codes.length).toBeLessThan(70);
    expect(codes).toContain('operation_errors_total{code="OTHER"}');
  });
});

describe("/metrics", () => {
  test("answers in Prometheus' text format", async () => {
    const { url } = await serveMetrics();
    const { headers } = await fetch(url);
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("answers in OpenMetrics' format where that is accepted, with a trace for each bucket that has one", async () => {
    const { metrics, url } = await serveMetrics();
    metrics.record({ ...answered, traceId: TRACE });
    metrics.observeUpstreamRequest({ route: "/x/{id}/", outcome: "ok", durationMs: 30, traceId: TRACE });
    const response = await fetch(url, {
      headers: { accept: "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3" },
    });
    expect(response.headers.get("content-type")).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    const text = await response.text();
    expect(text).toContain(
      "# TYPE authentik_graphql_rest_calls counter\nauthentik_graphql_rest_calls_total 3\n",
    );
    expect(text).toMatch(
      new RegExp(
        `operation_duration_seconds_bucket\\{le="0.025"\\} 1 # \\{trace_id="${TRACE}"\\} 0.02 [\\d.]+\n`,
      ),
    );
    expect(text).toMatch(
      new RegExp(`route="/x/\\{id\\}/",outcome="ok"\\} 1 # \\{trace_id="${TRACE}"\\} 0.03`),
    );
    expect(text.endsWith("# EOF\n")).toBe(true);
    expect(await scrape(url), "the other format is as before").toMatchObject({ rest_calls_total: 3 });
  });
});
