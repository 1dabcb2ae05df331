import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { createMetrics, type Metrics, type MetricsOptions } from "../../../src/observability/metrics.ts";

/** Metrics served on a free port. */
export async function serveMetrics(
  options: Partial<MetricsOptions> = {},
): Promise<{ metrics: Metrics; url: string }> {
  const metrics = createMetrics({
    version: '0"1\n',
    endpoint: "/graphql",
    authentikState: () => ({ inFlight: 2, queued: 3, limit: 8, breaker: "half-open" }),
    upstreamUp: () => true,
    operationsInFlight: () => 4,
    connections: () => 5,
    draining: () => false,
    droppedLogLines: () => 6,
    ...options,
  });
  const server = createServer(metrics.serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // `as`: it listens on a port, not on a pipe.
  return { metrics, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics` };
}

/** What a scraper reads, in Prometheus' text format unless told otherwise. */
export async function scrapeText(url: string, accept = "text/plain"): Promise<string> {
  return (await fetch(url, { headers: { accept } })).text();
}

/** The samples by name and labels, without the prefix that all have. */
export async function scrape(url: string): Promise<Record<string, number>> {
  const samples = (await scrapeText(url)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    samples.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space).replace("authentik_graphql_", ""), Number(line.slice(space + 1))];
    }),
  );
}
