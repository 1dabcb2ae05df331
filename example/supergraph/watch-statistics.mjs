// A subgraph of another team: watch statistics, kept by the number of the Plex account.
import { readFile } from "node:fs/promises";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginInlineTraceDisabled } from "@apollo/server/plugin/disabled";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";

const STATISTICS = new Map([
  ["12345678", { plays: 212, minutes: 15_360, favourite: "The Third Man" }],
  ["87654321", { plays: 48, minutes: 5_085, favourite: "Playtime" }],
  ["424242", { plays: 7, minutes: 630, favourite: "Stalker" }],
]);

const resolvers = {
  Query: {
    mostActive: (_root, { first }) =>
      [...STATISTICS]
        .sort(([, a], [, b]) => b.minutes - a.minutes)
        .slice(0, first)
        .map(([id]) => ({ id })),
  },
  PlexAccount: {
    __resolveReference: (reference) => reference,
    watchStatistics: ({ id }) => STATISTICS.get(id) ?? null,
  },
};

/** Starts the subgraph on a free port. */
export async function startWatchStatistics() {
  const sdl = await readFile(new URL("watch-statistics.graphql", import.meta.url), "utf8");
  const server = new ApolloServer({
    schema: buildSubgraphSchema({ typeDefs: parse(sdl), resolvers }),
    plugins: [ApolloServerPluginInlineTraceDisabled()],
    // start.mjs ends everything in its order.
    stopOnTerminationSignals: false,
  });
  const { url } = await startStandaloneServer(server, { listen: { port: 0, host: "127.0.0.1" } });
  return { url, stop: () => server.stop() };
}
