import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

const PROTO = fileURLToPath(new URL("./trace.proto", import.meta.url));

interface Attributes {
  attributes: { key: string; value: Record<string, unknown> }[];
}
/** Ids are base64 in http/protobuf, as it is decoded here, and hexadecimal in http/json. */
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
  const type = protobuf.loadSync(PROTO).lookupType("Request");
  const spans: ReturnType<typeof readSpan>[] = [];
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    bodies.push(body);
    const options = { bytes: String, enums: String, longs: Number, defaults: true };
    const isJson = request.headers["content-type"] === "application/json";
    const message: unknown = isJson ? JSON.parse(body.toString()) : type.toObject(type.decode(body), options);
    for (const { resource, scopeSpans } of (message as WireRequest).resourceSpans)
      // as the definition above says
      for (const span of scopeSpans.flatMap((scope) => scope.spans))
        spans.push(readSpan(span, resource, isJson ? "hex" : "base64"));
    if (status !== null) response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  return {
    /** What makes a process send its traces there. */
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    /** Spans in the order in which they ended. Ids are hexadecimal. */
    spans,
    /** Everything that came, as it came. */
    bodies,
    close: () => server.close().closeAllConnections(),
  };
}

function readSpan(span: WireSpan, resource: Attributes, encoding: BufferEncoding) {
  const { name, kind, status, traceId, spanId, parentSpanId = "" } = span;
  const idOf = (id: string): string => Buffer.from(id, encoding).toString("hex");
  return {
    name,
    kind,
    traceId: idOf(traceId),
    spanId: idOf(spanId),
    parentSpanId: idOf(parentSpanId),
    status: status?.code ?? "UNSET",
    attributes: valuesOf(span),
    resource: valuesOf(resource),
  };
}

function valuesOf({ attributes }: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
