import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import protobuf from "protobufjs";
import { expect, onTestFinished, vi } from "vitest";

/** A span as a receiver of traces reads it. Ids are hexadecimal. */
export interface ReceivedSpan {
  name: string;
  kind: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  status: string;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Everything that came, as it came. */
  readonly bodies: Buffer[];
  readonly requests: { path: string; contentType: string | undefined }[];
}

/** The part of OTLP that the tests look at; https://github.com/open-telemetry/opentelemetry-proto has all of it. */
const PROTO = `
  syntax = "proto3";
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message Attribute { string key = 1; Value value = 2; }
  message Resource { repeated Attribute attributes = 1; }
  enum SpanKind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; CLIENT = 3; }
  enum StatusCode { UNSET = 0; OK = 1; ERROR = 2; }
  message Status { StatusCode code = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; SpanKind kind = 6;
    repeated Attribute attributes = 9; Status status = 15;
  }
  message ScopeSpans { repeated Span spans = 2; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Request { repeated ResourceSpans resource_spans = 1; }
`;

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}
interface WireSpan extends Pick<ReceivedSpan, "name" | "kind"> {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  attributes: Attribute[];
  status: { code: string } | null;
}
interface WireRequest {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: WireSpan[] }[] }[];
}

/**
 * Receives traces by http/protobuf on a free port, and makes the environment point there.
 * @param options.status of every answer; null: there never is one
 */
export async function startOtlpReceiver({
  status = 200,
}: { status?: number | null } = {}): Promise<OtlpReceiver> {
  const type = protobuf.parse(PROTO).root.lookupType("Request");
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const requests: OtlpReceiver["requests"] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    requests.push({ path: request.url ?? "", contentType: request.headers["content-type"] });
    bodies.push(body);
    // `as`: toObject writes what the definition above says.
    const message = type.toObject(type.decode(body), {
      bytes: String,
      enums: String,
      longs: Number,
      defaults: true,
    }) as WireRequest;
    for (const { resource, scopeSpans } of message.resourceSpans) {
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push(readSpan(span, resource.attributes));
      }
    }
    if (status !== null) response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `as`: it listens on a port, not on a pipe.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", url);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.close();
    server.closeAllConnections();
  });
  return { url, spans, bodies, requests };
}

function hex(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}

function readSpan(span: WireSpan, resource: Attribute[]): ReceivedSpan {
  return {
    name: span.name,
    kind: span.kind,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    status: span.status?.code ?? "UNSET",
    attributes: valuesOf(span.attributes),
    resource: valuesOf(resource),
  };
}

function valuesOf(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** The only span of this name. */
export function spanNamed({ spans }: OtlpReceiver, name: string): ReceivedSpan {
  const named = spans.filter((span) => span.name === name);
  expect(named, `spans: ${spans.map((span) => span.name).join(", ")}`).toHaveLength(1);
  const [span] = named;
  if (span === undefined) throw new TypeError("no such span");
  return span;
}
