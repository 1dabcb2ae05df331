/** The graph of the peers that are written by hand: the same names as ours. */
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
const camelKeys = (object) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [toCamel(name), value]));

/**
 * A row as authentik sends it, with the names of the graph.
 * @param {Record<string, any>} row
 */
export function toConnection({ source_obj: source, ...row }) {
  return { ...camelKeys(row), id: String(row.pk), source: camelKeys(source) };
}
