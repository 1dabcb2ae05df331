/** graphql-yoga, Pothos and DataLoader as their guides show them, with the fields that the questions need. */
import { createServer } from "node:http";
import SchemaBuilder from "@pothos/core";
import DataLoader from "dataloader";
import { createYoga } from "graphql-yoga";
import { camelKeys, connectionPath, getJson, peerSettings, toConnection } from "./graph.mjs";

const builder = new SchemaBuilder({});
const nullable = { nullable: true };
const User = builder.objectRef("AuthentikUser");
const Connection = builder.objectRef("PlexSourceConnection");
const Source = builder.objectRef("Source");
Source.implement({
  fields: (t) => ({
    pk: t.exposeID("pk"),
    name: t.exposeString("name"),
    slug: t.exposeString("slug"),
    enabled: t.exposeBoolean("enabled"),
    authenticationFlow: t.exposeID("authenticationFlow", nullable),
    enrollmentFlow: t.exposeID("enrollmentFlow", nullable),
    userPropertyMappings: t.exposeIDList("userPropertyMappings", nullable),
    groupPropertyMappings: t.exposeIDList("groupPropertyMappings", nullable),
    component: t.exposeString("component"),
    verboseName: t.exposeString("verboseName"),
    verboseNamePlural: t.exposeString("verboseNamePlural"),
    metaModelName: t.exposeString("metaModelName"),
    policyEngineMode: t.exposeString("policyEngineMode"),
    userMatchingMode: t.exposeString("userMatchingMode"),
    managed: t.exposeString("managed", nullable),
    userPathTemplate: t.exposeString("userPathTemplate"),
    icon: t.exposeString("icon", nullable),
  }),
});
Connection.implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    pk: t.exposeInt("pk"),
    user: t.exposeInt("user"),
    source: t.field({ type: Source, resolve: (connection) => connection.source }),
    identifier: t.exposeString("identifier"),
    created: t.exposeString("created", nullable),
    lastUpdated: t.exposeString("lastUpdated", nullable),
    owner: t.field({ type: User, ...nullable, resolve: ({ user }, _, { users }) => users.load(user) }),
  }),
});
User.implement({
  fields: (t) => ({
    pk: t.exposeInt("pk"),
    username: t.exposeString("username"),
    name: t.exposeString("name"),
    plexConnections: t.field({
      type: [Connection],
      resolve: async ({ pk }, _, { list }) => (await list(`user=${pk}`)).nodes,
    }),
  }),
});
const Page = builder.objectRef("PlexSourceConnectionConnection");
Page.implement({
  fields: (t) => ({
    totalCount: t.exposeInt("totalCount"),
    nodes: t.field({ type: [Connection], resolve: ({ nodes }) => nodes }),
  }),
});
const Account = builder.objectRef("PlexAccount");
Account.implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    plexConnections: t.field({
      type: [Connection],
      resolve: async ({ id }, _, { list }) =>
        (await list(`search=${id}`)).nodes.filter(({ identifier }) => identifier === id),
    }),
  }),
});
const Filter = builder.inputType("PlexConnectionFilter", { fields: (t) => ({ source: t.string() }) });
const Sort = builder.enumType("PlexConnectionSort", {
  values: { LAST_UPDATED_DESC: { value: "-last_updated" } },
});
builder.queryType({
  fields: (t) => ({
    plexConnection: t.field({
      type: Connection,
      ...nullable,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { connections }) => connections.load(id),
    }),
    plexConnections: t.field({
      type: Page,
      args: { first: t.arg.int(), filter: t.arg({ type: Filter }), sort: t.arg({ type: Sort }) },
      resolve: (_root, { first, filter, sort }, { list }) =>
        list(`source__slug=${filter.source}&page_size=${first}&ordering=${sort}`),
    }),
    plexAccount: t.field({
      type: Account,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }) => ({ id }),
    }),
    authentikUser: t.field({
      type: User,
      ...nullable,
      args: { username: t.arg.string({ required: true }) },
      resolve: async (_root, { username }, { get }) =>
        (await get(`core/users/?username=${encodeURIComponent(username)}`)).results[0],
    }),
  }),
});

/** @param {{ request: Request }} options */
function context({ request }) {
  const authorization = request.headers.get("authorization") ?? "";
  const get = (path) => getJson(path, authorization);
  const each = (path, read) =>
    new DataLoader((ids) =>
      Promise.all(
        ids.map(async (id) => {
          const row = await get(path(id));
          return row && read(row);
        }),
      ),
    );
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

createServer(createYoga({ schema: builder.toSchema(), logging: false, context })).listen(
  peerSettings().port,
  "127.0.0.1",
);
