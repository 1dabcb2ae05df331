// @apollo/gateway behind @apollo/server: node apollo-gateway.mjs PORT; the supergraph is in this folder.
// Prints its URL once it answers. Hands the caller's Authorization to every subgraph.
import { readFile } from "node:fs/promises";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";

const supergraphSdl = await readFile("supergraph.graphql", "utf8");

class WithAuthorization extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    if (context.authorization) request.http.headers.set("authorization", context.authorization);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl,
  buildService: ({ url }) => new WithAuthorization({ url }),
  logger: { debug() {}, info() {}, warn: console.error, error: console.error },
});
const server = new ApolloServer({ gateway, csrfPrevention: false });
const { url } = await startStandaloneServer(server, {
  listen: { port: Number(process.argv[2]), host: "127.0.0.1" },
  context: async ({ req }) => ({ authorization: req.headers.authorization }),
});
console.log(url);
