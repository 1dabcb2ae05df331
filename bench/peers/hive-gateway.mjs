/** Hive Gateway over a supergraph that Mesh composes from the OpenAPI document. */
import { writeFile, mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGatewayRuntime } from "@graphql-hive/gateway";
import { getComposedSchemaFromConfig } from "@graphql-mesh/compose-cli";
import { loadOpenAPISubgraph } from "@omnigraph/openapi";
import { openapiDocument } from "./openapi-document.mjs";
import { peerSettings } from "./graph.mjs";

const { upstreamUrl, port } = peerSettings();
const source = join(await mkdtemp(join(tmpdir(), "bench-hive-")), "openapi.json");
await writeFile(source, JSON.stringify(await openapiDocument({ serverUrl: upstreamUrl })));
const quiet = {
  child: () => quiet,
  debug() {},
  info() {},
  log() {},
  warn: console.warn,
  error: console.error,
};
const supergraph = await getComposedSchemaFromConfig(
  {
    subgraphs: [
      {
        sourceHandler: loadOpenAPISubgraph("authentik", {
          source,
          endpoint: `${upstreamUrl}/api/v3`,
          operationHeaders: { Authorization: "{context.headers.authorization}" },
        }),
      },
    ],
  },
  quiet,
);
const gateway = createGatewayRuntime({ supergraph, logging: false });
createServer(gateway).listen(port, "127.0.0.1");
