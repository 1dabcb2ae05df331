import type { IncomingHttpHeaders } from "node:http";
import type { UpstreamSpan } from "../authentik/request.ts";
import type { RequestRecord } from "../server/pending-request.ts";

/**
 * Traces as OpenTelemetry knows them, sent by OTLP (http/protobuf).
 * Attributes hold routes, names, codes and numbers: no document, variable, header or credential.
 */
export interface Tracing {
  /** Begins the server span of one request to the graph; continues the trace of its `traceparent`. */
  startOperation(headers: IncomingHttpHeaders): OperationSpan;
  /** Sends what is buffered and ends, after `timeoutMs` at the latest. Never rejects. */
  shutdown(options: { timeoutMs: number }): Promise<void>;
}

/** One operation in a trace. */
export interface OperationSpan {
  /** 32 hexadecimal digits, for the log line and the exemplars. */
  readonly traceId: string;
  /** Begins the client span of one REST call, each attempt its own. `route` is a template. */
  startUpstreamRequest(request: { method: string; route: string }): UpstreamSpan;
  /** Names the span `query Name` and ends it. */
  end(record: RequestRecord): void;
}

/** What traces say about this process, and whom to tell when they cannot be sent. */
export interface TracingOptions {
  version: string;
  /** authentik's base URL. */
  upstream: URL;
  /** Takes a sentence for the operator, once a minute at most. */
  onProblem: (sentence: string) => void;
}

/**
 * Traces if the standard variables ask for it: an `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`), or
 * `OTEL_TRACES_EXPORTER=otlp` for the default one. Otherwise null, and no code for it is loaded.
 *
 * `env` only decides whether. Everything else (headers, sampler, batches, resource) the SDK reads from the process itself.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export async function startTracing(
  env: Readonly<Record<string, string | undefined>>,
  options: TracingOptions,
): Promise<Tracing | null> {
  const endpoint = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  const exporter = env["OTEL_TRACES_EXPORTER"] || (endpoint ? "otlp" : "none");
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true" || exporter === "none") return null;
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"];
  if (exporter !== "otlp" || (protocol && protocol !== "http/protobuf")) {
    options.onProblem("no traces: OTEL_TRACES_EXPORTER must be otlp, its protocol http/protobuf");
    return null;
  }
  const { createOtlpTracing } = await import("./otlp-tracing.ts");
  return createOtlpTracing(options);
}
