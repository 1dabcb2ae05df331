/** Fastify and mercurius with its just-in-time compiler, resolvers over undici. */
import Fastify from "fastify";
import mercurius from "mercurius";
import { connectionPath, getJson, peerSettings, toConnection, typeDefs } from "./graph.mjs";

const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  context: ({ headers }) => ({ authorization: headers.authorization ?? "" }),
  resolvers: {
    Query: {
      async plexConnection(_root, { id }, { authorization }) {
        const row = await getJson(connectionPath(id), authorization);
        return row && toConnection(row);
      },
    },
  },
});
await app.listen({ port: peerSettings().port, host: "127.0.0.1" });
