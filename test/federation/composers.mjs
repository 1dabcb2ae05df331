// Composes the subgraphs on standard input ([{ name, url, sdl }]) with three composers that others wrote.
// Standard output: { "<composer>": { errors: string[], hints: string[], supergraphSdl?: string } }
import { text } from "node:stream/consumers";
import apollo from "@apollo/composition";
import * as guild from "@theguild/federation-composition";
import cosmo from "@wundergraph/composition";
import { parse } from "graphql";

const subgraphs = JSON.parse(await text(process.stdin)).map(({ name, url, sdl }) => ({
  name,
  url,
  typeDefs: parse(sdl),
}));

const byApollo = apollo.composeServices(subgraphs);
const byGuild = guild.composeServices(subgraphs);
const byCosmo = cosmo.federateSubgraphs({
  subgraphs: subgraphs.map(({ name, url, typeDefs }) => ({ name, url, definitions: typeDefs })),
  version: cosmo.LATEST_ROUTER_COMPATIBILITY_VERSION,
});

// --without TAG: what clients of a contract see that leaves out everything with the tag.
const option = process.argv.indexOf("--without");
const contract =
  option === -1
    ? undefined
    : guild.composeSchemaContract(
        subgraphs,
        { include: new Set(), exclude: new Set([process.argv[option + 1]]) },
        true,
      );

const messages = (problems) => (problems ?? []).map((problem) => String(problem));
process.stdout.write(
  JSON.stringify({
    "@apollo/composition": {
      errors: messages(byApollo.errors),
      hints: (byApollo.hints ?? []).map((hint) => `${hint.definition.code}: ${hint.message}`),
      supergraphSdl: byApollo.supergraphSdl,
    },
    "@theguild/federation-composition": {
      errors: messages(byGuild.errors),
      hints: [],
      supergraphSdl: byGuild.supergraphSdl,
    },
    "@wundergraph/composition": {
      errors: messages(byCosmo.errors),
      hints: messages(byCosmo.warnings),
    },
    ...(contract && {
      contract: {
        errors: messages(contract.errors),
        hints: [],
        supergraphSdl: contract.publicSdl,
      },
    }),
  }),
);
