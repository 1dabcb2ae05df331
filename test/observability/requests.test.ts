import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { buildCli, startNode } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { type AnswerHandler, sendJson, sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { patience } from "../support/patience.ts";
import { startOtlpReceiver } from "./support/otlp-receiver.ts";
import { scrape, scrapeText } from "./support/scrape.ts";

vi.setConfig({ hookTimeout: 60_000 });

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const ROUTE = "/sources/user_connections/plex/{id}/";
const GET = `GET ${ROUTE}`;
const LONG = "x".repeat(900_000);
const CUT = `${"x".repeat(128)}…`;
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string }; // npm's own file

let isSentAgain = false;
/** By the key that is asked for. */
const answer: AnswerHandler = ({ path }, response, fallback) => {
  const pk = Number(/(\d+)\/$/.exec(path)?.[1]);
  if (pk === 6) sendJson(response, 403, { detail: "Token invalid/expired" });
  else if (pk === 7) sendPage(response, 404, "Not found");
  else if (pk === 9 && !isSentAgain) {
    isSentAgain = true;
    sendPage(response, 502, "Bad Gateway");
  } else if (pk > 200) sendJson(response, 409, {}, { "X-authentik-id": LONG.slice(0, 5_000) });
  else fallback();
};

interface Sent {
  what: string;
  query: string;
  headers?: Record<string, string>;
  /** What the log says of it. */
  line: object;
  /** Those of its trace, in the order in which they ended. */
  spans: object[];
}

const REQUESTS: readonly Sent[] = [
  {
    what: "that is answered",
    query: "query Both { a: plexConnection(id: 5) { pk } b: plexConnection(id: 5) { pk } }",
    headers: {
      "x-request-id": "r-1",
      "x-forwarded-for": "198.51.100.1, 192.0.2.7",
      traceparent: `00-${TRACE}-${PARENT}-01`,
      tracestate: "vendor=1",
      cookie: "canary",
      baggage: "secret=canary",
    },
    line: {
      level: "info",
      requestId: "r-1",
      traceId: TRACE,
      path: "/graphql",
      status: 200,
      client: "192.0.2.7",
      caller: expect.stringMatching(/^.{8}$/),
      operationName: "Both",
      operationType: "query",
      codes: [],
      restCalls: 1,
      keysRequested: 2,
      keysFetched: 1,
      dedupRatio: 0.5,
    },
    spans: [
      {
        name: GET,
        status: "UNSET",
        attributes: {
          "http.request.method": "GET",
          "http.response.status_code": 200,
          "server.address": "127.0.0.1",
          "server.port": expect.any(Number),
          "authentik.request_id": "0123456789abcdef0123456789abcdef",
        },
      },
      {
        name: "query Both",
        kind: "SERVER",
        parentSpanId: PARENT,
        status: "UNSET",
        attributes: {
          "graphql.operation.name": "Both",
          "graphql.operation.type": "query",
          "http.response.status_code": 200,
        },
        resource: {
          "service.name": "people",
          "service.version": version,
          "deployment.environment.name": "home",
        },
      },
    ],
  },
  {
    what: "that is no operation",
    query: "{ canary",
    line: { level: "info", codes: ["GRAPHQL_PARSE_FAILED"] },
    spans: [
      { name: "GraphQL Operation", status: "UNSET", attributes: { "error.type": "GRAPHQL_PARSE_FAILED" } },
    ],
  },
  {
    what: "with a credential that authentik refuses",
    query: "{ plexConnection(id: 6) { pk } }",
    line: { level: "info", path: "/graphql", status: 200, codes: ["UNAUTHENTICATED"] },
    spans: [
      { name: GET, status: "ERROR" },
      { name: "query", status: "UNSET" },
    ],
  },
  {
    what: "that authentik answers with a page",
    query: "{ plexConnection(id: 7) { pk } }",
    line: {
      level: "warn",
      codes: ["UPSTREAM_INVALID_RESPONSE"],
      problems: [{ problem: "malformed-response", status: 404 }],
    },
    spans: [
      { name: GET, status: "ERROR", attributes: { "error.type": "malformed-response" } },
      { name: "query", status: "ERROR" },
    ],
  },
  {
    what: "for what is not there",
    query: "{ plexConnection(id: 101) { pk } }",
    line: { level: "info", codes: [], restCalls: 1 },
    spans: [{ name: GET, status: "UNSET", attributes: { "error.type": "not-found" } }, { name: "query" }],
  },
  {
    what: "whose call is sent twice",
    query: "{ plexConnection(id: 9) { pk } }",
    line: { level: "info", codes: [], restCalls: 2, retries: 1 },
    spans: [{ name: GET, status: "ERROR" }, { name: GET, status: "UNSET" }, { name: "query" }],
  },
  {
    what: "whose texts, and whose failures, have no end",
    query: `query ${LONG} {${Array.from({ length: 12 }, (_, n) => `a${n}: plexConnection(id: ${201 + n}) { pk }`).join(" ")}}`,
    line: {
      level: "warn",
      operationName: CUT,
      restCalls: 12,
      problems: Array.from({ length: 10 }, () => ({ problem: "rejected", status: 409, route: ROUTE })),
      problemsOmitted: 2,
    },
    spans: [
      ...Array.from({ length: 12 }, () => ({ attributes: { "authentik.request_id": CUT } })),
      { name: `query ${CUT}`, status: "ERROR", attributes: { "graphql.operation.name": CUT } },
    ],
  },
];

const ELSEWHERE = ["/wp-login.php?token=canary", '/a"}%0A{"level":"fatal', `/${LONG.slice(0, 9_000)}`];

/** What a process said of all of them, once it has ended. */
let told: Awaited<ReturnType<typeof askAll>>;
beforeAll(async () => {
  told = await askAll();
});

async function askAll() {
  await buildCli();
  const authentik = await startFakeAuthentik({ answer });
  const receiver = await startOtlpReceiver();
  const flags = ["--trusted-proxies=1", "--list-strategy=off", "--cors-origins=https://a.example"];
  const cli = startNode(["dist/main.js", "--port=0", ...flags], {
    env: {
      AUTHENTIK_URL: authentik.url.href,
      ...receiver.env,
      OTEL_SERVICE_NAME: "people",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=home",
    },
  });
  try {
    const url = await cli.url();
    const requestIds: (string | null)[] = [];
    for (const { query, headers = {} } of REQUESTS) {
      // oxlint-disable-next-line no-await-in-loop -- their lines are told apart by their order
      const reply = await ask(url, query, { headers });
      requestIds.push(reply.headers.get("x-request-id"));
    }
    for (const path of ELSEWHERE) await fetch(new URL(path, url));
    await fetch(url, { method: "OPTIONS" });
    await vi.waitUntil(async () => (await scrape(url))["upstream_up"] === 1, patience);
    const openMetrics = await scrapeText(
      url,
      "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3",
    );
    // The other format is as before.
    const [metrics, exposition] = [await scrape(url), await scrapeText(url)];
    cli.kill("SIGINT");
    await cli.exited;
    const output = cli.output();
    const lines = [...output.matchAll(/^.*"msg":"request".*$/gm)].map(([line]): Record<string, unknown> =>
      JSON.parse(line),
    );
    /** The headers of the call for a connection. */
    const headersOf = (pk: number): Record<string, string> =>
      Object.fromEntries(authentik.requests.find(({ path }) => path.includes(`/plex/${pk}/`))?.headers ?? []);
    return { ...receiver, requestIds, openMetrics, metrics, exposition, output, lines, headersOf };
  } finally {
    await cli.stop();
    await authentik.close();
    receiver.close();
  }
}

describe("a request", () => {
  test.each(REQUESTS.map((sent, index) => ({ ...sent, index })))(
    "$what is one line and one trace",
    ({ index, line, spans }) => {
      const { [index]: found } = told.lines;
      expect(found).toMatchObject({ ...line, requestId: told.requestIds[index] });
      const ofTrace = told.spans.filter(({ traceId }) => traceId === found?.["traceId"]);
      expect(ofTrace).toMatchObject(spans);
      const { spanId } = ofTrace.pop() ?? {};
      for (const call of ofTrace) expect(call).toMatchObject({ kind: "CLIENT", parentSpanId: spanId });
    },
  );

  test("hands its trace on to authentik, and nothing else of the caller's", () => {
    const { spans, headersOf } = told;
    const call = spans.find(({ kind, traceId }) => kind === "CLIENT" && traceId === TRACE);
    const traceparent = `00-${TRACE}-${call?.spanId}-01`;
    expect(headersOf(5)).toMatchObject({ traceparent, tracestate: "vendor=1" });
    expect(JSON.stringify(headersOf(5))).not.toContain("canary");
    expect(spans).toHaveLength(REQUESTS.flatMap((sent) => sent.spans).length);
  });

  test("to another path, and what browsers ask before, is a line that has an end, and no trace", () => {
    expect(told.lines.slice(REQUESTS.length)).toMatchObject([
      { level: "info", path: "/wp-login.php", status: 404, codes: ["BAD_REQUEST"] },
      { path: expect.stringMatching(/^\/a.*fatal$/) },
      { path: `/${CUT.slice(1)}` },
      { method: "OPTIONS", path: "/graphql", status: 204 },
    ]);
    expect(Math.max(...told.lines.map((line) => JSON.stringify(line).length))).toBeLessThan(20_000);
  });

  test("shows no secret, wherever it is told of", () => {
    const { output, exposition, openMetrics, bodies, spans } = told;
    const sent = Buffer.concat(bodies).toString("latin1");
    for (const said of [output, exposition, openMetrics, sent]) expect(said).not.toMatch(/canary|token-of/);
    const names = "graphql.operation.name graphql.operation.type error.type authentik.request_id";
    const http = "http.request.method http.response.status_code server.address server.port";
    const attributes = new Set(spans.flatMap((span) => Object.keys(span.attributes)));
    expect(attributes).toEqual(new Set(`${names} ${http}`.split(" ")));
  });
});

describe("the metrics", () => {
  test("count operations by outcome, cost and code, as the log does, and other requests apart", () => {
    const operations = told.lines.filter(({ method }) => method === "POST");
    const sum = (field: string): number =>
      operations.reduce((total, line) => total + Number(line[field] ?? 0), 0);
    expect(told.metrics).toMatchObject({
      'operations_total{outcome="ok"}': 3,
      'operations_total{outcome="error"}': 4,
      'operation_errors_total{code="UNAUTHENTICATED"}': 1,
      'http_responses_total{status="200"}': 7,
      'other_requests_total{status="404"}': 3,
      'other_requests_total{status="204"}': 1,
      operation_duration_seconds_sum: expect.closeTo(sum("durationMs") / 1000, 3),
      'operation_rest_calls_bucket{le="20"}': 6,
      operation_keys_sum: sum("keysRequested"),
      rest_calls_total: sum("restCalls"),
      keys_requested_total: sum("keysRequested"),
      keys_fetched_total: sum("keysFetched"),
      rest_retries_total: 1,
      // By route and outcome of what authentik did.
      [`upstream_request_duration_seconds_count{route="${ROUTE}",outcome="ok"}`]: 2,
      [`upstream_request_duration_seconds_count{route="${ROUTE}",outcome="not_found"}`]: 1,
    });
    expect(told.metrics).not.toHaveProperty('http_responses_total{status="404"}');
    // No label is from a client.
    expect(told.exposition).not.toMatch(/wp-login|Both|r-1|xxx/);
  });

  test("are told in OpenMetrics' format to who accepts it, with a trace for each bucket that has one", () => {
    const { openMetrics } = told;
    expect(openMetrics).toContain(
      "# TYPE authentik_graphql_rest_calls counter\nauthentik_graphql_rest_calls_total 18\n",
    );
    expect(openMetrics).toMatch(/operation_duration_seconds_bucket\{.*\} \d+ # \{trace_id="[0-9a-f]{32}"\} /);
    expect(openMetrics.endsWith("# EOF\n")).toBe(true);
  });
});

test("docs/operating.md has every field of a request's line, and every metric", () => {
  const page = readFileSync("docs/operating.md", "utf8");
  const metrics = [...told.exposition.matchAll(/^# HELP (\S+)/gm)].map(([, name = ""]) => name);
  for (const name of [...told.lines.flatMap(Object.keys), ...metrics])
    expect(page).toMatch(new RegExp(`^\\| \`${name}\` `, "m"));
});
