import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { sendJson, sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { ask, buildCli, startCli } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

async function startWithFake(argv: string[] = [], env: Record<string, string> = {}) {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  const cli = startCli(["--port=0", ...argv], { AUTHENTIK_URL: authentik.url.href, ...env });
  return { cli, authentik, url: await cli.url() };
}

async function metricsOf(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(url.replace("/graphql", "/metrics"))).text();
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space).replace("authentik_graphql_", ""), Number(line.slice(space + 1))];
    }),
  );
}

test("each request is one line of JSON with what it was and what it cost", async () => {
  const { cli, authentik, url } = await startWithFake();
  await ask(url, "query Both { a: plexConnection(id: 5) { pk } b: plexConnection(id: 5) { pk } }");
  const [line = ""] = await cli.printed(/^.*"msg":"request".*$/m);
  expect(JSON.parse(line)).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    msg: "request",
    requestId: expect.stringMatching(/^[\w-]+$/),
    method: "POST",
    status: 200,
    operationName: "Both",
    operationType: "query",
    durationMs: expect.any(Number),
    outcome: "answered",
    shared: false,
    codes: [],
    restCalls: 1,
    sharedCalls: 0,
    retries: 0,
    queuedMs: expect.any(Number),
    rowsListed: 0,
    keysRequested: expect.any(Number),
    keysFetched: 1,
    dedupRatio: expect.any(Number),
    limit: expect.any(Number),
    restCallsInFlight: expect.any(Number),
    queue: 0,
  });
  expect(authentik.paths().filter((path) => path.includes("/5/"))).toHaveLength(1);
});

test("a request that failed for a reason of the operator's is a warning with the request id and the reason", async () => {
  const { cli, authentik, url } = await startWithFake();
  authentik.answer((_request, response) => sendPage(response, 404, "Not found"));
  const { body } = await ask(url, "{ plexConnection(id: 5) { pk } }");
  const { errors } = body as { errors: { extensions: { requestId: string } }[] };
  const [line = ""] = await cli.printed(/^.*"msg":"request".*$/m);
  expect(JSON.parse(line)).toMatchObject({
    level: "warn",
    requestId: errors[0]?.extensions.requestId,
    codes: ["UPSTREAM_INVALID_RESPONSE"],
    problems: [expect.objectContaining({ status: 404 })],
  });
});

test("LOG_LEVEL=warn leaves ordinary requests out; pretty lines are for people", async () => {
  const quiet = await startWithFake([], { LOG_LEVEL: "warn" });
  await ask(quiet.url, "{ plexConnection(id: 5) { pk } }");
  quiet.cli.kill("SIGINT");
  await quiet.cli.exited;
  expect(quiet.cli.stdout()).toBe(`GraphQL: ${quiet.url}\n`);

  const pretty = await startWithFake(["--log-format", "pretty"]);
  await ask(pretty.url, "query Five { plexConnection(id: 5) { pk } }");
  await pretty.cli.printed(/INFO.*: query Five 200 in [\d.]+ ms, 1 REST call$/m);
  await ask(pretty.url, "{ plexConnection(id: abc) { pk } }");
  await pretty.cli.printed(/ in [\d.]+ ms.*, \w+ \(request [\w-]+\)/);
});

test("no token, cookie or secret of an answer gets into the log, whatever the level", async () => {
  const { cli, authentik, url } = await startWithFake([], { LOG_LEVEL: "trace" });
  const headers = {
    authorization: "Bearer canary-token",
    cookie: "authentik_session=canary-cookie",
    "x-authentik-username": "canary-name",
  };
  await ask(url, "{ plexConnection(id: 5) { pk } }", headers);
  for (const status of [200, 400, 401, 403, 404, 418, 429, 500, 502]) {
    authentik.answer((_request, response) =>
      sendJson(response, status, { detail: "canary-detail", plex_token: "canary-plex-token", pk: "canary" }),
    );
    await ask(url, `query Status${status} { plexConnection(id: 6) { pk } }`, headers);
  }
  await ask(url, "{ nothing ", headers);
  await ask(url, "{ __typename }", { ...headers, authorization: "Bearer canary-tök\u00e9n" }).catch(() => {});
  cli.kill("SIGINT");
  await cli.exited;
  expect(cli.output().match(/"msg":"request"/g)?.length).toBeGreaterThanOrEqual(11);
  expect(cli.output()).not.toMatch(/canary-(token|cookie|name|plex)/);
});

test("metrics count operations, codes, REST calls and keys, and have no label from a client", async () => {
  const { url } = await startWithFake();
  await ask(url, "query canaryName { a: plexConnection(id: 5) { pk } b: plexConnection(id: 5) { pk } }");
  await ask(url, '{ plexConnection(id: "canary") { pk } }');
  await ask(url, "{ plexConnection(id: 5) { pk } }", {});
  const metrics = await metricsOf(url);
  expect(Object.fromEntries(metrics)).toMatchObject({
    'operations_total{outcome="ok"}': 1,
    'operations_total{outcome="error"}': 2,
    'operation_errors_total{code="BAD_USER_INPUT"}': 1,
    'operation_errors_total{code="UNAUTHENTICATED"}': 1,
    operation_duration_seconds_count: 3,
    'operation_duration_seconds_bucket{le="+Inf"}': 3,
    rest_calls_total: 1,
    keys_fetched_total: expect.any(Number),
    operations_in_flight: 0,
    rest_calls_in_flight: 0,
    'breaker_state{state="closed"}': 1,
    draining: 0,
    unhandled_rejections_total: 0,
  });
  expect([...metrics.keys()].join("\n")).not.toContain("canary");
});

test("METRICS=false serves none", async () => {
  const { url } = await startWithFake(["--no-metrics"]);
  expect((await fetch(url.replace("/graphql", "/metrics"))).status).toBe(404);
});
