import { createRequire } from "node:module";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startTracing, type Tracing } from "../../src/observability/tracing.ts";
import { type OtlpReceiver, spanNamed, startOtlpReceiver } from "./support/otlp-receiver.ts";
import { answered, eventful } from "./support/records.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const ROUTE = "/sources/user_connections/plex/{id}/";

const optionsWith = (problems: string[]) => ({
  version: "1.2.3",
  upstream: new URL("https://id.example.org/auth"),
  onProblem: (sentence: string) => problems.push(sentence),
});

async function start(problems: string[] = []): Promise<Tracing> {
  const tracing = await startTracing(process.env, optionsWith(problems));
  if (tracing === null) throw new TypeError("tracing is off");
  onTestFinished(() => tracing.shutdown({ timeoutMs: 100 }));
  return tracing;
}

/** Traces what `work` does, and returns when the receiver has it. */
async function trace(work: (tracing: Tracing) => void): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver();
  const tracing = await start();
  work(tracing);
  await tracing.shutdown({ timeoutMs: 5000 });
  return receiver;
}

describe("without OTEL_ variables", () => {
  test.each([
    {},
    { OTEL_SERVICE_NAME: "gateway" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "true" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_TRACES_EXPORTER: "none" },
  ])("nothing is traced and nothing loaded: %j", async (env: Record<string, string>) => {
    const problems: string[] = [];
    expect(await startTracing(env, optionsWith(problems))).toBeNull();
    expect(problems).toEqual([]);
    expect(loadedPackages()).toEqual([]);
  });

  test("a protocol that is not spoken is said, and nothing is traced", async () => {
    const problems: string[] = [];
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };
    expect(
      await startTracing({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, optionsWith(problems)),
    ).toBeNull();
    expect(problems).toEqual([expect.stringContaining("http/protobuf")]);
  });
});

function loadedPackages(): string[] {
  const paths = Object.keys(createRequire(import.meta.url).cache);
  return paths.filter((path) => /@opentelemetry\/(sdk|exporter|otlp)/.test(path));
}

describe("an operation that is traced", () => {
  test("is a server span in the caller's trace, above a client span for each REST call", async () => {
    const receiver = await trace((tracing) => {
      const operation = tracing.startOperation({
        traceparent: `00-${TRACE}-${PARENT}-01`,
        tracestate: "vendor=1",
      });
      expect(operation.traceId).toBe(TRACE);
      const call = operation.startUpstreamRequest({ method: "GET", route: ROUTE });
      expect(call.headers).toEqual({
        traceparent: expect.stringMatching(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`)),
        tracestate: "vendor=1",
      });
      call.end({ status: 200, upstreamRequestId: "a1b2" });
      operation.end(answered);
    });
    expect(loadedPackages(), "the test of what is loaded can see it").not.toEqual([]);
    const server = spanNamed(receiver, "query Five");
    expect(server).toEqual({
      name: "query Five",
      kind: "SERVER",
      traceId: TRACE,
      spanId: expect.any(String),
      parentSpanId: PARENT,
      status: "UNSET",
      attributes: {
        "graphql.operation.name": "Five",
        "graphql.operation.type": "query",
        "http.request.method": "POST",
        "http.response.status_code": 200,
      },
      resource: expect.objectContaining({ "service.name": "authentik-graphql", "service.version": "1.2.3" }),
    });
    expect(spanNamed(receiver, `GET ${ROUTE}`)).toMatchObject({
      kind: "CLIENT",
      traceId: TRACE,
      parentSpanId: server.spanId,
      status: "UNSET",
      attributes: {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "id.example.org",
        "server.port": 443,
        "authentik.request_id": "a1b2",
      },
    });
    expect(receiver.requests).toEqual([{ path: "/v1/traces", contentType: "application/x-protobuf" }]);
  });

  test.each([
    undefined,
    "",
    "nonsense",
    `00-${"0".repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
  ])("begins a trace of its own where the caller brings none that is valid: %s", async (traceparent) => {
    let traceId = "";
    const receiver = await trace((tracing) => {
      const operation = tracing.startOperation({ traceparent });
      ({ traceId } = operation);
      operation.end(answered);
    });
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(spanNamed(receiver, "query Five")).toMatchObject({ traceId, parentSpanId: "" });
  });

  test("is not sent, but passed on, where the caller does not record", async () => {
    const receiver = await trace((tracing) => {
      const operation = tracing.startOperation({ traceparent: `00-${TRACE}-${PARENT}-00` });
      const { headers } = operation.startUpstreamRequest({ method: "GET", route: ROUTE });
      expect(headers["traceparent"]).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
      operation.end(answered);
    });
    expect(receiver.spans).toEqual([]);
  });

  test("is named by its type, or as an operation where it became none", async () => {
    const receiver = await trace((tracing) => {
      tracing.startOperation({}).end({ ...answered, operation: { type: "mutation" } });
      tracing.startOperation({}).end({ ...answered, operation: {}, codes: ["GRAPHQL_PARSE_FAILED"] });
    });
    expect(spanNamed(receiver, "mutation").status).toBe("UNSET");
    expect(spanNamed(receiver, "GraphQL Operation").attributes).toMatchObject({
      "error.type": "GRAPHQL_PARSE_FAILED",
    });
  });

  test("is an error where an operator should look, and so is the call that failed", async () => {
    const receiver = await trace((tracing) => {
      const operation = tracing.startOperation({});
      operation.startUpstreamRequest({ method: "GET", route: "/a/" }).end({ error: "unreachable" });
      operation
        .startUpstreamRequest({ method: "GET", route: "/b/" })
        .end({ status: 404, error: "not-found" });
      operation.end(eventful);
    });
    expect(spanNamed(receiver, "query Five").status).toBe("ERROR");
    expect(spanNamed(receiver, "GET /a/")).toMatchObject({
      status: "ERROR",
      attributes: { "error.type": "unreachable" },
    });
    expect(spanNamed(receiver, "GET /b/").status).toBe("UNSET");
  });

  test("has nothing of the caller's headers in it, and names that end", async () => {
    const long = "x".repeat(900_000);
    const receiver = await trace((tracing) => {
      const operation = tracing.startOperation({
        authorization: "Bearer canary",
        cookie: "canary",
        baggage: "secret=canary",
        "x-request-id": "canary",
      });
      const call = operation.startUpstreamRequest({ method: "GET", route: ROUTE });
      expect(Object.keys(call.headers)).toEqual(["traceparent"]);
      call.end({ status: 200, upstreamRequestId: long });
      operation.end({ ...answered, operation: { name: long, type: "query" }, callerKey: "canary" });
    });
    expect(receiver.bodies.length).toBeGreaterThan(0);
    expect(Buffer.concat(receiver.bodies).toString("latin1")).not.toContain("canary");
    expect(spanNamed(receiver, `query ${"x".repeat(128)}…`).attributes).toMatchObject({
      "graphql.operation.name": `${"x".repeat(128)}…`,
    });
    expect(spanNamed(receiver, `GET ${ROUTE}`).attributes["authentik.request_id"]).toHaveLength(129);
  });
});

describe("the standard variables", () => {
  test("name the service and its attributes, and choose what is sampled", async () => {
    vi.stubEnv("OTEL_SERVICE_NAME", "people");
    vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=home");
    const named = await trace((tracing) => tracing.startOperation({}).end(answered));
    expect(spanNamed(named, "query Five").resource).toMatchObject({
      "service.name": "people",
      "deployment.environment.name": "home",
    });
    vi.stubEnv("OTEL_TRACES_SAMPLER", "always_off");
    const none = await trace((tracing) => tracing.startOperation({}).end(answered));
    expect(none.spans).toEqual([]);
  });
});

describe("the end", () => {
  test("sends what is there, and says when it is refused", async () => {
    const problems: string[] = [];
    const receiver = await startOtlpReceiver({ status: 400 });
    const tracing = await start(problems);
    tracing.startOperation({}).end(answered);
    await tracing.shutdown({ timeoutMs: 5000 });
    expect(receiver.spans).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^OpenTelemetry: .{1,301}$/)]);
  });

  test("does not wait for a receiver that never answers", async () => {
    const receiver = await startOtlpReceiver({ status: null });
    const tracing = await start();
    tracing.startOperation({}).end(answered);
    await tracing.shutdown({ timeoutMs: 100 });
    expect(receiver.requests.length).toBeLessThanOrEqual(1);
  });
});
