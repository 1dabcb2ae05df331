import { beforeAll, expect, test, vi } from "vitest";
import { ask, buildCli, startBefore } from "../process/cli.ts";
import { patience } from "../support/patience.ts";
import { sendJson, sendPage } from "../support/fake-authentik.ts";
import { scrape, scrapeText } from "./support/scrape.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

test("each request is one line, warns only of what an operator can mend, and is counted by what became of it", async () => {
  const { cli, authentik, url } = await startBefore();
  authentik.answer(({ path }, response, fallback) => {
    if (path.endsWith("/6/")) sendJson(response, 403, { detail: "Token invalid/expired" });
    else if (path.endsWith("/7/")) sendPage(response, 404, "Not found");
    else fallback();
  });
  await ask(url, "query Both { a: plexConnection(id: 5) { pk } b: plexConnection(id: 5) { pk } }");
  await ask(url, '{ plexConnection(id: "canary") { pk } }');
  await ask(url, "{ plexConnection(id: 5) { pk } }", {});
  await ask(url, "{ plexConnection(id: 6) { pk } }");
  expect((await fetch(url.replace("/graphql", "/wp-login.php?token=canary"))).status).toBe(404);
  const { body } = await ask(url, "{ plexConnection(id: 7) { pk } }");
  const { errors } = body as { errors: { extensions: { requestId: string } }[] };

  const metricsUrl = url.replace("/graphql", "/metrics");
  expect(await scrape(metricsUrl)).toMatchObject({
    'operations_total{outcome="ok"}': 1,
    'operations_total{outcome="error"}': 4,
    'operation_errors_total{code="BAD_USER_INPUT"}': 1,
    'operation_errors_total{code="UNAUTHENTICATED"}': 2,
    'other_requests_total{status="404"}': 1,
    operation_duration_seconds_count: 5,
    rest_calls_total: 3,
    operations_in_flight: 0,
    rest_calls_in_flight: 0,
    'breaker_state{state="closed"}': 1,
    draining: 0,
    unhandled_rejections_total: 0,
  });
  await expect.poll(() => scrape(metricsUrl), patience).toMatchObject({ upstream_up: 1 });
  expect(await scrapeText(metricsUrl)).not.toContain("canary");

  cli.kill("SIGINT");
  await cli.exited;
  const lines = [...cli.stdout().matchAll(/^.*"msg":"request".*$/gm)].map(([line]): Record<string, unknown> =>
    JSON.parse(line),
  );
  expect(lines).toMatchObject([
    {
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
    },
    { level: "info", codes: ["BAD_USER_INPUT"] },
    { level: "info", path: "/graphql", status: 200, codes: ["UNAUTHENTICATED"] },
    { level: "info", path: "/graphql", status: 200, codes: ["UNAUTHENTICATED"] },
    { level: "info", path: "/wp-login.php", status: 404 },
    {
      level: "warn",
      requestId: errors[0]?.extensions.requestId,
      codes: ["UPSTREAM_INVALID_RESPONSE"],
      problems: [{ problem: "malformed-response", status: 404 }],
    },
  ]);
  expect(cli.output()).not.toContain("canary");
});

test("LOG_LEVEL=warn leaves ordinary requests out, and METRICS=false serves none", async () => {
  const { cli, url } = await startBefore({}, ["--no-metrics"], { LOG_LEVEL: "warn" });
  await ask(url, "{ plexConnection(id: 5) { pk } }");
  expect((await fetch(url.replace("/graphql", "/metrics"))).status).toBe(404);
  cli.kill("SIGINT");
  await cli.exited;
  expect(cli.stdout()).toBe(`GraphQL: ${url}\n`);
});

test("LOG_FORMAT=pretty reads well", async () => {
  const { cli, url } = await startBefore({}, ["--log-format", "pretty"]);
  await ask(url, "query Five { plexConnection(id: 5) { pk } }");
  await cli.printed(/INFO.*: query Five 200 in [\d.]+ ms, 1 REST call$/m);
  await ask(url, "{ plexConnection(id: abc) { pk } }");
  await expect(cli.printed(/ in [\d.]+ ms.*, \w+ \(request [\w-]+\)/)).resolves.toBeDefined();
});
