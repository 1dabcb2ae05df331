import { beforeAll, describe, expect, test, vi } from "vitest";
import { ask, buildCli, startBefore } from "../process/cli.ts";
import { patience } from "../support/patience.ts";
import { sendJson, sendPage } from "../support/fake-authentik.ts";
import { scrape, scrapeText } from "./support/scrape.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

describe("the running gateway's log", () => {
  test("has one line of JSON for each request, with what it was and what it cost", async () => {
    const { cli, authentik, url } = await startBefore();
    await ask(url, "query Both { a: plexConnection(id: 5) { pk } b: plexConnection(id: 5) { pk } }");
    const [line = ""] = await cli.printed(/^.*"msg":"request".*$/m);
    expect(JSON.parse(line)).toMatchObject({
      level: "info",
      requestId: expect.stringMatching(/^[\w-]+$/),
      method: "POST",
      path: "/graphql",
      status: 200,
      operationName: "Both",
      operationType: "query",
      codes: [],
      restCalls: 1,
      keysFetched: 1,
      queue: 0,
    });
    expect(authentik.paths().filter((path) => path.includes("/5/"))).toHaveLength(1);
  });

  test("warns of what an operator can mend, with the request id and the reason", async () => {
    const { cli, authentik, url } = await startBefore();
    authentik.answer((_request, response) => sendPage(response, 404, "Not found"));
    const { body } = await ask(url, "{ plexConnection(id: 5) { pk } }");
    const { errors } = body as { errors: { extensions: { requestId: string } }[] };
    const [line = ""] = await cli.printed(/^.*"msg":"request".*$/m);
    expect(JSON.parse(line)).toMatchObject({
      level: "warn",
      requestId: errors[0]?.extensions.requestId,
      codes: ["UPSTREAM_INVALID_RESPONSE"],
      problems: [expect.objectContaining({ problem: "malformed-response", status: 404 })],
    });
  });

  test("does not warn of scanners: no token, a wrong one, a path where nothing is", async () => {
    const { cli, authentik, url } = await startBefore();
    authentik.answer((_request, response) => sendJson(response, 403, { detail: "Token invalid/expired" }));
    await ask(url, "{ plexConnection(id: 5) { pk } }", {});
    await ask(url, "{ plexConnection(id: 5) { pk } }");
    const { status } = await fetch(url.replace("/graphql", "/wp-login.php?token=canary"));
    expect(status).toBe(404);
    cli.kill("SIGINT");
    await cli.exited;
    const lines = [...cli.stdout().matchAll(/^.*"msg":"request".*$/gm)].map(
      ([line]): Record<string, unknown> => JSON.parse(line),
    );
    expect(lines).toMatchObject([
      { level: "info", path: "/graphql", status: 200, codes: ["UNAUTHENTICATED"] },
      { level: "info", path: "/graphql", status: 200, codes: ["UNAUTHENTICATED"] },
      { level: "info", path: "/wp-login.php", status: 404 },
    ]);
    expect(cli.output()).not.toContain("canary");
  });

  test("leaves ordinary requests out with LOG_LEVEL=warn, and reads well with LOG_FORMAT=pretty", async () => {
    const quiet = await startBefore({}, [], { LOG_LEVEL: "warn" });
    await ask(quiet.url, "{ plexConnection(id: 5) { pk } }");
    quiet.cli.kill("SIGINT");
    await quiet.cli.exited;
    expect(quiet.cli.stdout()).toBe(`GraphQL: ${quiet.url}\n`);

    const pretty = await startBefore({}, ["--log-format", "pretty"]);
    await ask(pretty.url, "query Five { plexConnection(id: 5) { pk } }");
    await pretty.cli.printed(/INFO.*: query Five 200 in [\d.]+ ms, 1 REST call$/m);
    await ask(pretty.url, "{ plexConnection(id: abc) { pk } }");
    await pretty.cli.printed(/ in [\d.]+ ms.*, \w+ \(request [\w-]+\)/);
  });
});

describe("the running gateway's metrics", () => {
  test("count operations, codes, REST calls and keys, and other paths apart", async () => {
    const { url } = await startBefore();
    const metricsUrl = url.replace("/graphql", "/metrics");
    await ask(url, "query canaryName { a: plexConnection(id: 5) { pk } b: plexConnection(id: 5) { pk } }");
    await ask(url, '{ plexConnection(id: "canary") { pk } }');
    await ask(url, "{ plexConnection(id: 5) { pk } }", {});
    await fetch(url.replace("/graphql", "/canary"));
    expect(await scrape(metricsUrl)).toMatchObject({
      'operations_total{outcome="ok"}': 1,
      'operations_total{outcome="error"}': 2,
      'operation_errors_total{code="BAD_USER_INPUT"}': 1,
      'operation_errors_total{code="UNAUTHENTICATED"}': 1,
      'other_requests_total{status="404"}': 1,
      operation_duration_seconds_count: 3,
      rest_calls_total: 1,
      operations_in_flight: 0,
      rest_calls_in_flight: 0,
      'breaker_state{state="closed"}': 1,
      draining: 0,
      unhandled_rejections_total: 0,
    });
    expect(await scrapeText(metricsUrl)).not.toContain("canary");
    await expect.poll(() => scrape(metricsUrl), patience).toMatchObject({ upstream_up: 1 });
  });

  test("are not served with METRICS=false", async () => {
    const { url } = await startBefore({}, ["--no-metrics"]);
    expect((await fetch(url.replace("/graphql", "/metrics"))).status).toBe(404);
  });
});
