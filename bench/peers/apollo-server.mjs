/** Apollo Server 5 with a RESTDataSource for each request, as its guide shows. */
import { RESTDataSource } from "@apollo/datasource-rest";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { toConnection, typeDefs } from "./graph.mjs";
import { connectionPath, peerSettings } from "./settings.mjs";

const { upstreamUrl, port } = peerSettings();

class Authentik extends RESTDataSource {
  baseURL = upstreamUrl;

  /** @param {{ authorization: string, cache: import("@apollo/utils.keyvaluecache").KeyValueCache }} options */
  constructor({ authorization, cache }) {
    super({ cache });
    this.authorization = authorization;
  }

  willSendRequest(_path, request) {
    request.headers.authorization = this.authorization;
  }

  async connection(id) {
    try {
      return toConnection(await this.get(connectionPath(id)));
    } catch (error) {
      if (error.extensions?.response?.status === 404) return null;
      throw error;
    }
  }
}

const server = new ApolloServer({
  typeDefs,
  resolvers: {
    Query: { plexConnection: (_root, { id }, { authentik }) => authentik.connection(id) },
  },
});
await startStandaloneServer(server, {
  listen: { port, host: "127.0.0.1" },
  context: async ({ req }) => ({
    authentik: new Authentik({ authorization: req.headers.authorization ?? "", cache: server.cache }),
  }),
});
