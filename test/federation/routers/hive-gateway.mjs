// Hive Gateway: node hive-gateway.mjs SUPERGRAPH_FILE [--native]
// Prints its URL once it answers. Hands the caller's Authorization to every subgraph.
// --native plans with the native planner of Hive Router (@graphql-hive/router-runtime), as the flag --hive-router-runtime does.
// Traces when OTEL_EXPORTER_OTLP_ENDPOINT is set.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createGatewayRuntime } from "@graphql-hive/gateway";
import { useOpenTelemetry } from "@graphql-hive/gateway/opentelemetry";
import { openTelemetrySetup } from "@graphql-hive/gateway/opentelemetry/setup";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";

const supergraph = await readFile(process.argv[2], "utf8");
const native = process.argv.includes("--native");
const planner = native
  ? { unifiedGraphHandler: (await import("@graphql-hive/router-runtime")).unifiedGraphHandler }
  : {};

if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) {
  openTelemetrySetup({
    contextManager: null,
    traces: { exporter: new OTLPTraceExporter(), batching: false },
  });
}

const gateway = createGatewayRuntime({
  supergraph,
  ...planner,
  plugins: ({ log }) =>
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT ? [useOpenTelemetry({ log, traces: true })] : [],
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => {
      const authorization = request.headers.get("authorization");
      return authorization === null ? {} : { authorization };
    },
  },
  landingPage: false,
  graphiql: false,
  logging: "error",
});
const server = createServer(gateway);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/graphql`));
