import type { createOtlpTracing, TracingOptions } from "./otlp-tracing.ts";

/**
 * Traces as OpenTelemetry knows them, sent by OTLP (http/protobuf).
 * Attributes hold routes, names, codes and numbers: no document, variable, header or credential.
 */
export type Tracing = ReturnType<typeof createOtlpTracing>;

/** One operation in a trace. */
export type OperationSpan = ReturnType<Tracing["startOperation"]>;

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
