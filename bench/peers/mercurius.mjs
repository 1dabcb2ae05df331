/** Fastify and mercurius with its just-in-time compiler, resolvers over undici. */
import Fastify from "fastify";
import mercurius from "mercurius";
import { request } from "undici";
import { toConnection, typeDefs } from "./graph.mjs";
import { connectionPath, peerSettings } from "./settings.mjs";

const { upstreamUrl, port } = peerSettings();
const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  context: ({ headers }) => ({ authorization: headers.authorization ?? "" }),
  resolvers: {
    Query: {
      async plexConnection(_root, { id }, { authorization }) {
        const { statusCode, body } = await request(`${upstreamUrl}${connectionPath(id)}`, {
          headers: { authorization, accept: "application/json" },
        });
        const value = await body.json();
        if (statusCode === 404) return null;
        if (statusCode !== 200) throw new Error(`authentik answered ${statusCode}`);
        return toConnection(value);
      },
    },
  },
});
await app.listen({ port, host: "127.0.0.1" });
