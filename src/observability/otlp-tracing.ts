import type { IncomingHttpHeaders } from "node:http";
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Span,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from "@opentelemetry/semantic-conventions";
import type { UpstreamSpan } from "../authentik/caller.ts";
import { shortened } from "../authentik/decoders.ts";
import { type RequestRecord, severityOf } from "./log.ts";

/**
 * Not yet in the stable part of the semantic conventions.
 * @see https://opentelemetry.io/docs/specs/semconv/graphql/graphql-spans/
 */
const ATTR_GRAPHQL_OPERATION_NAME = "graphql.operation.name";
const ATTR_GRAPHQL_OPERATION_TYPE = "graphql.operation.type";
/** `X-authentik-id` of a response, which authentik's own log has as `request_id`. */
const ATTR_AUTHENTIK_REQUEST_ID = "authentik.request_id";

const PROBLEM_INTERVAL_MS = 60_000;
const MAX_PROBLEM_LENGTH = 300;

/** What traces say about this process, and whom to tell when they cannot be sent. */
export interface TracingOptions {
  version: string;
  /** authentik's base URL. */
  upstream: URL;
  /** Takes a sentence for the operator, once a minute at most. */
  onProblem: (sentence: string) => void;
}

/** Starts the SDK. Spans wait in a bounded queue and are lost, not kept, when nobody takes them. */
export function createOtlpTracing({ version, upstream, onProblem }: TracingOptions) {
  reportProblems(onProblem);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: "authentik-graphql",
      [ATTR_SERVICE_VERSION]: version,
    }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer("authentik-graphql", version);
  const propagator = new W3CTraceContextPropagator();
  const server = {
    [ATTR_SERVER_ADDRESS]: upstream.hostname,
    [ATTR_SERVER_PORT]: Number(upstream.port) || (upstream.protocol === "https:" ? 443 : 80),
  };

  const startUpstreamRequest = (
    parent: Context,
    { method, route }: { method: string; route: string },
  ): UpstreamSpan => {
    const attributes = { ...server, [ATTR_HTTP_REQUEST_METHOD]: method };
    const span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.CLIENT, attributes }, parent);
    const headers: Record<string, string> = {};
    propagator.inject(trace.setSpan(parent, span), headers, defaultTextMapSetter);
    return {
      headers,
      end({ status, error, upstreamRequestId }) {
        if (status !== undefined) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
        if (upstreamRequestId !== undefined) {
          span.setAttribute(ATTR_AUTHENTIK_REQUEST_ID, shortened(upstreamRequestId));
        }
        if (error !== undefined) span.setAttribute(ATTR_ERROR_TYPE, error);
        // That there is no such object is a result, not a failure.
        if (error !== undefined && error !== "not-found") span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  };

  return {
    /** Begins the server span of one request to the graph; continues the trace of its `traceparent`. */
    startOperation(headers: IncomingHttpHeaders) {
      const caller = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
      const span = tracer.startSpan("GraphQL Operation", { kind: SpanKind.SERVER }, caller);
      const context = trace.setSpan(ROOT_CONTEXT, span);
      return {
        /** 32 hexadecimal digits, for the log line and the exemplars. */
        traceId: span.spanContext().traceId,
        /** Begins the client span of one REST call, each attempt its own. `route` is a template. */
        startUpstreamRequest: (request: { method: string; route: string }) =>
          startUpstreamRequest(context, request),
        /** Names the span `query Name` and ends it. */
        end(record: RequestRecord) {
          nameSpan(span, record);
          if (severityOf(record) !== "info") span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    /** Sends what is buffered and ends. Never rejects. */
    shutdown: () => provider.shutdown().catch((error: unknown) => diag.error(String(error))),
  };
}

function nameSpan(span: Span, { method, status, codes, operation: { name, type } }: RequestRecord): void {
  span.setAttribute(ATTR_HTTP_REQUEST_METHOD, shortened(method));
  span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
  if (codes.length > 0) span.setAttribute(ATTR_ERROR_TYPE, codes.join(" "));
  if (type === undefined) return;
  const shortName = shortened(name);
  span.updateName(shortName === undefined ? type : `${type} ${shortName}`);
  span.setAttribute(ATTR_GRAPHQL_OPERATION_TYPE, type);
  if (shortName !== undefined) span.setAttribute(ATTR_GRAPHQL_OPERATION_NAME, shortName);
}

function ignore(): void {}

/** What the SDK would tell nobody: that the receiver is not there, or that a variable means nothing. */
function reportProblems(onProblem: TracingOptions["onProblem"]): void {
  let saidMs = Number.NEGATIVE_INFINITY;
  const report = (message: string): void => {
    if (performance.now() - saidMs < PROBLEM_INTERVAL_MS) return;
    saidMs = performance.now();
    onProblem(`OpenTelemetry: ${shortened(message, MAX_PROBLEM_LENGTH)}`);
  };
  diag.setLogger(
    { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
