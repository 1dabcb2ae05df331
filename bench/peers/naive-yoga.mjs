/** graphql-yoga and DataLoader as their guides show them, with the fields that the questions need. */
import { createServer } from "node:http";
import DataLoader from "dataloader";
import { createSchema, createYoga } from "graphql-yoga";
import { camelKeys, connectionPath, getJson, peerSettings, toConnection, typeDefs } from "./graph.mjs";

const questionTypes = /* GraphQL */ `
  extend type Query {
    plexConnections(
      first: Int!
      filter: PlexConnectionFilter!
      sort: PlexConnectionSort!
    ): PlexSourceConnectionConnection
    plexAccount(id: ID!): PlexAccount
    authentikUser(username: String!): AuthentikUser
  }
  input PlexConnectionFilter {
    source: String
  }
  enum PlexConnectionSort {
    LAST_UPDATED_DESC
  }
  extend type PlexSourceConnection {
    owner: AuthentikUser
  }
  type PlexSourceConnectionConnection {
    nodes: [PlexSourceConnection!]!
    totalCount: Int!
  }
  type PlexAccount {
    id: ID!
    plexConnections: [PlexSourceConnection!]
  }
  type AuthentikUser {
    pk: Int!
    username: String!
    name: String
    plexConnections: [PlexSourceConnection!]
  }
`;

const resolvers = {
  PlexConnectionSort: { LAST_UPDATED_DESC: "-last_updated" },
  Query: {
    plexConnection: (_root, { id }, { connections }) => connections.load(id),
    plexConnections: (_root, { first, filter, sort }, { list }) =>
      list(`source__slug=${filter.source}&page_size=${first}&ordering=${sort}`),
    plexAccount: (_root, { id }) => ({ id }),
    authentikUser: async (_root, { username }, { get }) =>
      (await get(`core/users/?username=${encodeURIComponent(username)}`)).results[0],
  },
  PlexSourceConnection: { owner: ({ user }, _, { users }) => users.load(user) },
  PlexAccount: {
    plexConnections: async ({ id }, _, { list }) =>
      (await list(`search=${id}`)).nodes.filter(({ identifier }) => identifier === id),
  },
  AuthentikUser: { plexConnections: async ({ pk }, _, { list }) => (await list(`user=${pk}`)).nodes },
};

/** @param {{ request: Request }} options */
function context({ request }) {
  const authorization = request.headers.get("authorization") ?? "";
  const get = (path) => getJson(path, authorization);
  const one = async (path, read) => {
    const row = await get(path);
    return row && read(row);
  };
  const each = (path, read) => new DataLoader((ids) => Promise.all(ids.map((id) => one(path(id), read))));
  return {
    get,
    connections: each(connectionPath, toConnection),
    users: each((pk) => `core/users/${pk}/`, camelKeys),
    async list(query) {
      const { pagination, results } = await get(`sources/user_connections/plex/?${query}`);
      return { totalCount: pagination.count, nodes: results.map(toConnection) };
    },
  };
}

const schema = createSchema({ typeDefs: [typeDefs, questionTypes], resolvers });
createServer(createYoga({ schema, logging: false, context })).listen(peerSettings().port, "127.0.0.1");
