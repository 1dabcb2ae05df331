import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createUsage } from "../../src/authentik/usage.ts";
import { createMetrics, type Metrics, type MetricsOptions } from "../../src/observability/metrics.ts";
import { buildCli, startBefore } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { type AnswerHandler, createGate, sendPage } from "../support/fake-authentik.ts";
import { patience } from "../support/patience.ts";
import { tableOf } from "./support/documentation.ts";
import { scrape, scrapeText } from "./support/scrape.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

test("the metrics tell, as the lines of the log do, what is in flight, what waits, what is shared and who left", async () => {
  const gate = createGate();
  const answer: AnswerHandler = async ({ path }, _response, fallback) => {
    // Whether authentik is there is asked without a key.
    if (!path.includes("?")) await gate.opened;
    fallback();
  };
  const { cli, url } = await startBefore({ answer }, ["--authentik-concurrency=1", "--list-strategy=off"]);
  const scraped = () => scrape(url);
  const leaving = new AbortController();
  const send = (field: string, signal = new AbortController().signal) =>
    ask(new URL(url), `{ plexConnection(id: ${field} }`, { signal });
  const left = send("8) { pk }", leaving.signal).catch(() => "left");
  const answers = ["5) { pk }", "5) { pk }", "5) { user }", "6) { pk }", "7) { pk }"].map((it) => send(it));
  await expect.poll(scraped, patience).toMatchObject({ operations_in_flight: 6, rest_queue_length: 3 });
  expect(await scraped()).toMatchObject({
    connections: expect.any(Number),
    rest_calls_in_flight: 1,
    rest_concurrency_limit: 1,
    'breaker_state{state="closed"}': 1,
    'breaker_state{state="half-open"}': 0,
    'breaker_state{state="open"}': 0,
    draining: 0,
    process_cpu_seconds_total: expect.any(Number),
    process_resident_memory_bytes: expect.any(Number),
    process_heap_used_bytes: expect.any(Number),
    'operations_total{outcome="ok"}': 0,
  });
  leaving.abort();
  expect(await left).toBe("left");
  await expect.poll(scraped, patience).toMatchObject({ operations_in_flight: 5 });
  gate.open();
  await Promise.all(answers);
  await expect.poll(scraped, patience).toMatchObject({ operations_in_flight: 0 });
  const samples = await scraped();
  expect(samples).toMatchObject({
    'operations_total{outcome="ok"}': 5,
    'operations_total{outcome="client-left"}': 1,
    'http_responses_total{status="499"}': 1,
    shared_operations_total: 1,
    shared_rest_calls_total: 1,
  });
  cli.kill("SIGINT");
  await cli.exited;
  const queuedMs = [...cli.stdout().matchAll(/"queuedMs":([\d.]+)/g)].map(([, ms]) => Number(ms));
  const sum = queuedMs.reduce((total, ms) => total + ms);
  expect(sum).toBeGreaterThan(0);
  expect(samples["rest_queued_seconds_total"]).toBeCloseTo(sum / 1000, 3);
});

test.each([
  ["an operation", "{ plexConnection(id: 5) { pk owner { name } } }"],
  ["a read", "{ again: plexConnection(id: 5) { pk owner { name } } }"],
])("the sums are whole when the client that %s was started for has left", async (_what, query) => {
  const gate = createGate();
  const answer: AnswerHandler = async ({ authorization }, response, fallback) => {
    if (authorization === undefined) return fallback();
    await gate.opened;
    if (sent().length === 1) sendPage(response, 502, "Bad Gateway");
    else fallback();
  };
  const { authentik, url } = await startBefore({ answer }, ["--list-strategy=off"]);
  const sent = () => authentik.requests.filter(({ authorization }) => authorization !== undefined);
  const leaving = new AbortController();
  const first = "{ plexConnection(id: 5) { pk owner { name } } }";
  const left = ask(new URL(url), first, { signal: leaving.signal }).catch(() => "left");
  await expect.poll(() => sent().length, patience).toBe(1);
  const stayed = ask(new URL(url), query);
  await expect.poll(() => scrape(url), patience).toMatchObject({ operations_in_flight: 2 });
  leaving.abort();
  expect(await left).toBe("left");
  await expect.poll(() => scrape(url), patience).toMatchObject({ operations_in_flight: 1 });
  gate.open();
  await stayed;
  expect(sent().map(({ path }) => path)).toEqual([
    "/api/v3/sources/user_connections/plex/5/",
    "/api/v3/sources/user_connections/plex/5/",
    "/api/v3/core/users/1005/",
  ]);
  const isShared = query === first;
  expect(await scrape(url)).toMatchObject({
    rest_calls_total: 3,
    rest_retries_total: 1,
    shared_operations_total: isShared ? 1 : 0,
    shared_rest_calls_total: isShared ? 0 : 1,
    keys_requested_total: isShared ? 2 : 3,
    keys_fetched_total: isShared ? 2 : 3,
  });
});

test("METRICS=false serves none", async () => {
  const { url } = await startBefore({}, ["--no-metrics"]);
  expect((await fetch(new URL("/metrics", url))).status).toBe(404);
});

/** Metrics of a process that is not there, served on a free port. */
async function serveMetrics(
  options: Partial<MetricsOptions> = {},
): Promise<{ metrics: Metrics; url: string }> {
  const metrics = createMetrics({
    version: '0"1\n',
    endpoint: "/graphql",
    authentikState: () => ({ inFlight: 2, queued: 3, limit: 8, breaker: "half-open" }),
    usage: createUsage(),
    upstreamUp: () => true,
    operationsInFlight: () => 4,
    connections: () => 5,
    draining: () => false,
    droppedLogLines: () => 6,
    ...options,
  });
  const server = createServer(metrics.serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  return { metrics, url: `http://127.0.0.1:${port}` };
}

describe("the metrics", () => {
  test.each([
    ["*/*", "text/plain; version=0.0.4; charset=utf-8"],
    [
      "application/openmetrics-text;q=0.5,text/plain;version=0.0.4;q=0.3",
      "application/openmetrics-text; version=1.0.0",
    ],
  ])("to who accepts %s are %s", async (accept, type) => {
    const { headers } = await fetch(new URL("/metrics", (await serveMetrics()).url), { headers: { accept } });
    expect(headers.get("content-type")?.slice(0, type.length)).toBe(type);
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
    const [name, kind, , help] =
      tableOf("metrics").find(([name]) => name?.endsWith("credentials_valid")) ?? [];
    expect(await scrapeText(url)).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
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
});
