import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createUsage } from "../../src/authentik/usage.ts";
import { createMetrics, type Metrics } from "../../src/observability/metrics.ts";
import { buildCli, startBefore } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { type AnswerHandler, createGate } from "../support/fake-authentik.ts";
import { patience } from "../support/patience.ts";
import { scrape } from "./support/scrape.ts";

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
  const fields = ["5) { pk }", "5) { pk }", "5) { user }", "6) { pk }", "7) { pk }"];
  const answers = fields.map((field) => ask(url, `{ plexConnection(id: ${field} }`));
  await expect.poll(scraped, patience).toMatchObject({ rest_calls_in_flight: 1 });
  // It waits in the queue until it leaves.
  const left = ask(url, "{ plexConnection(id: 8) { pk } }", { signal: leaving.signal }).catch(() => "left");
  await expect.poll(scraped, patience).toMatchObject({
    operations_in_flight: 6,
    rest_queue_length: 3,
    rest_calls_in_flight: 1,
    rest_concurrency_limit: 1,
    'breaker_state{state="closed"}': 1,
  });
  leaving.abort();
  expect(await left).toBe("left");
  const [line] = await cli.printed(/^.*"outcome":"client-left".*$/m);
  expect(JSON.parse(line).queuedMs).toBeGreaterThan(0);
  await expect.poll(scraped, patience).toMatchObject({ operations_in_flight: 5 });
  gate.open();
  await Promise.all(answers);
  await expect.poll(scraped, patience).toMatchObject({
    operations_in_flight: 0,
    'operations_total{outcome="ok"}': 5,
    'operations_total{outcome="client-left"}': 1,
    'http_responses_total{status="499"}': 1,
    shared_operations_total: 1,
    shared_rest_calls_total: 1,
  });
  expect((await scraped())["rest_queued_seconds_total"]).toBeGreaterThan(0);
});

test("the metrics do not tell what nobody knows yet, and show a blocked event loop to every scraper", async () => {
  const { serve }: Metrics = createMetrics({
    version: "0.0.0",
    endpoint: "/graphql",
    authentikState: () => ({ inFlight: 2, queued: 3, limit: 8, breaker: "half-open" }),
    usage: createUsage(),
    upstreamUp: () => null,
    serviceCredentialsValid: () => null,
    operationsInFlight: () => 4,
    connections: () => 5,
    draining: () => false,
    droppedLogLines: () => 6,
  });
  const server = createServer(serve).listen(0, "127.0.0.1");
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  const url = `http://127.0.0.1:${port}`;
  // Prometheus takes nothing else.
  expect((await fetch(url)).headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  // The delay is measured between ticks: one must have been before, and one must come after.
  await sleep(100);
  const blockedUntil = performance.now() + 500;
  while (performance.now() < blockedUntil);
  await sleep(100);
  for (let scraper = 0; scraper < 3; scraper += 1) {
    const samples = await scrape(url);
    expect(samples).toMatchObject({ 'breaker_state{state="half-open"}': 1, dropped_log_lines_total: 6 });
    expect(Object.keys(samples)).not.toContain("upstream_up");
    expect(Object.keys(samples)).not.toContain("service_credentials_valid");
    expect(samples["event_loop_delay_p99_seconds"]).toBeGreaterThan(0.1);
  }
});
