/** openapi-to-graphql over the OpenAPI document, served by graphql-http. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { openapiDocument } from "./openapi-document.mjs";
import { peerSettings } from "./settings.mjs";

// Its ES module build imports names that its CommonJS dependencies do not export; both must see one graphql.
const require = createRequire(import.meta.url);
const { createGraphQLSchema } = require("openapi-to-graphql");
const { createHandler } = require("graphql-http/lib/use/http");

const { upstreamUrl, port } = peerSettings();
const document = await openapiDocument({ serverUrl: upstreamUrl });
// It takes "required" for "never null".
for (const schema of Object.values(document.components.schemas))
  if (schema.required) schema.required = schema.required.filter((name) => !schema.properties[name].nullable);
const { schema } = await createGraphQLSchema(document, {
  viewer: false,
  simpleNames: true,
  headers: (_method, _path, _title, { context }) => ({ authorization: context.authorization }),
});
const handler = createHandler({
  schema,
  context: ({ raw }) => ({ authorization: raw.headers.authorization ?? "" }),
});
createServer(handler).listen(port, "127.0.0.1");
