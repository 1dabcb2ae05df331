import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";
import { peer } from "./composition.ts";
import { type Resolvers, startSubgraph } from "./subgraph.ts";

/** Numbers of connections that the statistics know of, those that watched most first. */
export const TOP_CONNECTIONS: readonly number[] = [1007, 1003, 1012, 1005];

/** What the statistics say of a connection: made of nothing but what the gateway must hand over. */
export function labelOf(connection: { identifier: string; user: number }): string {
  return `account ${connection.identifier} of user ${connection.user}`;
}

const itself = (reference: object): object => reference;

/** The subgraph that another team could have: watch statistics of connections and sources. */
const statistics: Resolvers = {
  Query: {
    topConnections: (_root: unknown, { first }: { first: number }) =>
      TOP_CONNECTIONS.slice(0, first).map((pk) => ({ __typename: "PlexSourceConnection", pk })),
    topAccounts: () => TOP_CONNECTIONS.map((pk) => ({ id: String(70_000_000 + pk) })),
  },
  PlexAccount: { __resolveReference: itself, minutes: ({ id }: { id: string }) => Number(id) % 10_000 },
  PlexSourceConnection: {
    __resolveReference: itself,
    minutesWatched: ({ identifier }: { identifier: string }) => Number(identifier) % 10_000,
    label: labelOf,
  },
  Source: { __resolveReference: itself, plays: ({ slug }: { slug: string }) => slug.length },
};

/** The subgraph that owns people: it joins on the number of the user. */
const accounts: Resolvers = {
  User: { __resolveReference: ({ pk }: { pk: number }) => personOf(pk) },
  PlexSourceConnection: {
    __resolveReference: ({ id, pk = Number(id), ...rest }: { id?: string; pk?: number }) => ({
      ...rest,
      id: String(pk),
      pk,
    }),
    person: ({ user }: { user: number }) => personOf(user),
  },
};

function personOf(pk: number): { id: string; pk: number; name: string } {
  return { id: String(pk), pk, name: `Person ${pk}` };
}

/** Starts both, each from its SDL in `subgraphs/`. */
export function startPeers() {
  const all = Object.entries({ "watch-statistics": statistics, "user-accounts": accounts });
  return Promise.all(
    all.map(async ([name, resolvers]) => {
      const typeDefs = parse((await peer(name)).sdl);
      return startSubgraph(name, buildSubgraphSchema({ typeDefs, resolvers }));
    }),
  );
}
