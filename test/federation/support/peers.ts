import { readFile } from "node:fs/promises";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { type GraphQLSchema, parse } from "graphql";

/** Numbers of connections that the statistics know of, those that watched most first. */
export const TOP_CONNECTIONS: readonly number[] = [7, 3, 12, 5];

/** What the statistics say of a connection: made of nothing but what the gateway must hand over. */
export function labelOf(connection: { identifier: string; user: number }): string {
  return `account ${connection.identifier} of user ${connection.user}`;
}

/** The subgraph that another team could have: watch statistics of connections and sources. */
export function createStatisticsSchema(): Promise<GraphQLSchema> {
  return build("watch-statistics", {
    Query: {
      topConnections: (_root: unknown, { first }: { first: number }) =>
        TOP_CONNECTIONS.slice(0, first).map((pk) => ({ __typename: "PlexSourceConnection", pk })),
      topAccounts: () => TOP_CONNECTIONS.map((pk) => ({ id: String(70_000_000 + pk) })),
      recentConnections: () => TOP_CONNECTIONS.map((pk) => ({ pk, identifier: String(70_000_000 + pk) })),
    },
    PlexAccount: {
      __resolveReference: (reference: object) => reference,
      minutes: ({ id }: { id: string }) => Number(id) % 10_000,
    },
    PlexSourceConnection: {
      __resolveReference: (reference: object) => reference,
      minutesWatched: ({ identifier }: { identifier: string }) => Number(identifier) % 10_000,
      label: labelOf,
    },
    Source: {
      __resolveReference: (reference: object) => reference,
      plays: ({ slug }: { slug: string }) => slug.length,
    },
  });
}

/** The subgraph that owns people: it joins on the number of the user. */
export function createAccountsSchema(): Promise<GraphQLSchema> {
  return build("user-accounts", {
    Query: {
      person: (_root: unknown, { pk }: { pk: number }) => personOf(pk),
      people: () => [],
    },
    Node: { __resolveType: () => "User" },
    User: { __resolveReference: ({ pk }: { pk: number }) => personOf(pk) },
    PlexSourceConnection: {
      __resolveReference: (key: { id?: string; pk?: number }) => ({
        ...key,
        id: key.id ?? String(key.pk),
        pk: key.pk ?? Number(key.id),
      }),
      person: ({ user }: { user: number }) => personOf(user),
    },
  });
}

function personOf(pk: number): { id: string; pk: number; name: string } {
  return { id: String(pk), pk, name: `Person ${pk}` };
}

/** By type and field, as @apollo/subgraph takes them. */
type Resolvers = Extract<Parameters<typeof buildSubgraphSchema>[0], { resolvers?: unknown }>["resolvers"];

async function build(name: string, resolvers: Resolvers): Promise<GraphQLSchema> {
  const sdl = await readFile(new URL(`../subgraphs/${name}.graphql`, import.meta.url), "utf8");
  return buildSubgraphSchema({ typeDefs: parse(sdl), ...(resolvers ? { resolvers } : {}) });
}
