/** What the peers that are written by hand share: the graph, with the same names as ours, and how they ask authentik. */
import { request } from "undici";

/**
 * What every peer is told by the benchmark, through the environment.
 * @returns {{ upstreamUrl: string, port: number }} the REST API's origin, and the port of 127.0.0.1 to listen on
 */
export function peerSettings() {
  const { UPSTREAM_URL, PORT } = process.env;
  if (!UPSTREAM_URL || !PORT) throw new Error("set UPSTREAM_URL and PORT");
  return { upstreamUrl: UPSTREAM_URL, port: Number(PORT) };
}

/** The path of one connection. @param {string | number} id */
export const connectionPath = (id) => `sources/user_connections/plex/${id}/`;

/**
 * @param {string} path below /api/v3
 * @param {string} authorization
 * @returns {Promise<any>} null for a 404
 */
export async function getJson(path, authorization) {
  const { statusCode, body } = await request(`${process.env.UPSTREAM_URL}/api/v3/${path}`, {
    headers: { authorization, accept: "application/json" },
  });
  const value = await body.json();
  if (statusCode === 404) return null;
  if (statusCode !== 200) throw new Error(`authentik answered ${statusCode}`);
  return value;
}

export const typeDefs = /* GraphQL */ `
  type Query {
    plexConnection(id: ID!): PlexSourceConnection
  }
  type PlexSourceConnection {
    id: ID!
    pk: Int!
    user: Int!
    source: Source!
    identifier: String!
    created: String
    lastUpdated: String
  }
  type Source {
    pk: ID!
    name: String!
    slug: String!
    enabled: Boolean!
    authenticationFlow: ID
    enrollmentFlow: ID
    userPropertyMappings: [ID!]
    groupPropertyMappings: [ID!]
    component: String!
    verboseName: String!
    verboseNamePlural: String!
    metaModelName: String!
    policyEngineMode: String!
    userMatchingMode: String!
    managed: String
    userPathTemplate: String!
    icon: String
  }
`;

const toCamel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
/** @param {Record<string, any>} object */
export const camelKeys = (object) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [toCamel(name), value]));

/**
 * A row as authentik sends it, with the names of the graph.
 * @param {Record<string, any>} row
 */
export function toConnection({ source_obj: source, ...row }) {
  return { ...camelKeys(row), id: String(row.pk), source: camelKeys(source) };
}
