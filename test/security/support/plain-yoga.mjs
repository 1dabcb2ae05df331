// A gateway as one writes it on the first day: graphql-yoga, @apollo/subgraph and undici, every default untouched.
// The attacks of test/security are shown to work against it. Started as a process of its own: some attacks end it.
// Usage: node plain-yoga.mjs <base URL of authentik>; says where it listens as the gateway does.
import { createServer } from "node:http";
import { buildSubgraphSchema } from "@apollo/subgraph";
import DataLoader from "dataloader";
import { parse } from "graphql";
import { createYoga } from "graphql-yoga";
import { request } from "undici";

const authentikUrl = process.argv[2];

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
  type Query { plexConnection(id: ID!): PlexSourceConnection }
  type PlexSourceConnection @key(fields: "pk") { pk: Int user: Int identifier: String }
`);

/** The caller's connection by id, from authentik. */
async function fetchConnection(id, authorization) {
  const url = `${authentikUrl}/api/v3/sources/user_connections/plex/${encodeURIComponent(id)}/`;
  const { statusCode, body } = await request(url, { headers: { authorization: authorization ?? "" } });
  if (statusCode >= 400) throw new Error(`authentik answered ${statusCode}`);
  return body.json();
}

const resolvers = {
  Query: { plexConnection: (_root, { id }, { connections }) => connections.load(id) },
  PlexSourceConnection: {
    __resolveReference: ({ pk }, { connections }) => connections.load(pk),
  },
};

const yoga = createYoga({
  schema: buildSubgraphSchema({ typeDefs, resolvers }),
  context: ({ request: { headers } }) => ({
    connections: new DataLoader((ids) =>
      Promise.all(ids.map((id) => fetchConnection(id, headers.get("authorization")).catch((error) => error))),
    ),
  }),
});

const server = createServer(yoga);
server.listen(0, "127.0.0.1", () => console.log(`GraphQL: http://127.0.0.1:${server.address().port}/`));
