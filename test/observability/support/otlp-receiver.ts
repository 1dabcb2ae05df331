import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import protobuf from "protobufjs";

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

interface Attributes {
  attributes: { key: string; value: Record<string, unknown> }[];
}
interface WireSpan extends Attributes {
  name: string;
  kind: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  status: { code: string } | null;
}
interface WireRequest {
  resourceSpans: { resource: Attributes; scopeSpans: { spans: WireSpan[] }[] }[];
}

/**
 * Receives traces by http/protobuf, or http/json, on a free port.
 * @param options.status of every answer; null: there never is one
 */
export async function startOtlpReceiver({ status = 200 }: { status?: number | null } = {}) {
  const type = protobuf.parse(PROTO).root.lookupType("Request");
  const spans: ReturnType<typeof readSpan>[] = [];
  const bodies: Buffer[] = [];
  const requests: [path: string | undefined, contentType: string | undefined][] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    bodies.push(body);
    requests.push([request.url, request.headers["content-type"]]);
    const options = { bytes: String, enums: String, longs: Number, defaults: true };
    const isJson = request.headers["content-type"] === "application/json";
    const message: unknown = isJson ? JSON.parse(body.toString()) : type.toObject(type.decode(body), options);
    for (const { resource, scopeSpans } of (message as WireRequest).resourceSpans)
      // as the definition above says
      for (const span of scopeSpans.flatMap((scope) => scope.spans))
        spans.push(readSpan(span, { resource, idOf: isJson ? String : hex }));
    if (status !== null) response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  return {
    /** What makes a process send its traces there. */
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    /** Spans in the order in which they ended. Ids are hexadecimal. */
    spans,
    /** Everything that came, as it came. */
    bodies,
    requests,
    close: () => server.close().closeAllConnections(),
  };
}

function hex(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}

function readSpan(
  { name, kind, status, parentSpanId = "", ...span }: WireSpan,
  { resource, idOf }: { resource: Attributes; idOf: (id: string) => string },
) {
  return {
    name,
    kind,
    traceId: idOf(span.traceId),
    spanId: idOf(span.spanId),
    parentSpanId: idOf(parentSpanId),
    status: status?.code ?? "UNSET",
    attributes: valuesOf(span),
    resource: valuesOf(resource),
  };
}

function valuesOf({ attributes }: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
