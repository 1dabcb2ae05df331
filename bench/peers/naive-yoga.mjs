/** graphql-yoga, Pothos and DataLoader as their guides show them. */
import { createServer } from "node:http";
import SchemaBuilder from "@pothos/core";
import DataLoader from "dataloader";
import { createYoga } from "graphql-yoga";
import { request } from "undici";
import { toConnection } from "./graph.mjs";
import { connectionPath, peerSettings } from "./settings.mjs";

const { upstreamUrl, port } = peerSettings();
const builder = new SchemaBuilder({});
const Source = builder.objectRef("Source");
Source.implement({
  fields: (t) => ({
    pk: t.exposeID("pk"),
    name: t.exposeString("name"),
    slug: t.exposeString("slug"),
    enabled: t.exposeBoolean("enabled"),
    authenticationFlow: t.exposeID("authenticationFlow", { nullable: true }),
    enrollmentFlow: t.exposeID("enrollmentFlow", { nullable: true }),
    userPropertyMappings: t.exposeIDList("userPropertyMappings", { nullable: true }),
    groupPropertyMappings: t.exposeIDList("groupPropertyMappings", { nullable: true }),
    component: t.exposeString("component"),
    verboseName: t.exposeString("verboseName"),
    verboseNamePlural: t.exposeString("verboseNamePlural"),
    metaModelName: t.exposeString("metaModelName"),
    policyEngineMode: t.exposeString("policyEngineMode"),
    userMatchingMode: t.exposeString("userMatchingMode"),
    managed: t.exposeString("managed", { nullable: true }),
    userPathTemplate: t.exposeString("userPathTemplate"),
    icon: t.exposeString("icon", { nullable: true }),
  }),
});
const Connection = builder.objectRef("PlexSourceConnection");
Connection.implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    pk: t.exposeInt("pk"),
    user: t.exposeInt("user"),
    source: t.field({ type: Source, resolve: (connection) => connection.source }),
    identifier: t.exposeString("identifier"),
    created: t.exposeString("created", { nullable: true }),
    lastUpdated: t.exposeString("lastUpdated", { nullable: true }),
  }),
});
builder.queryType({
  fields: (t) => ({
    plexConnection: t.field({
      type: Connection,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { connections }) => connections.load(id),
    }),
  }),
});

/** @param {string} id @param {string} authorization */
async function retrieve(id, authorization) {
  const { statusCode, body } = await request(`${upstreamUrl}${connectionPath(id)}`, {
    headers: { authorization, accept: "application/json" },
  });
  const value = await body.json();
  if (statusCode === 404) return null;
  if (statusCode !== 200) throw new Error(`authentik answered ${statusCode}`);
  return toConnection(value);
}

const yoga = createYoga({
  schema: builder.toSchema(),
  logging: false,
  context: ({ request }) => {
    const authorization = request.headers.get("authorization") ?? "";
    return {
      connections: new DataLoader((ids) => Promise.all(ids.map((id) => retrieve(String(id), authorization)))),
    };
  },
});
createServer(yoga).listen(port, "127.0.0.1");
