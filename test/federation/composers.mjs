// Composes the subgraphs on standard input ([{ name, url, sdl }]) with three composers that others wrote.
// With a tag as argument: `contract` is what clients of a contract see that leaves out everything with the tag.
// Standard output: { "<composer>": { errors: string[], hints: string[], supergraphSdl?: string } }
import { text } from "node:stream/consumers";
import apollo from "@apollo/composition";
import * as guild from "@theguild/federation-composition";
import cosmo from "@wundergraph/composition";
import { parse } from "graphql";

const subgraphs = JSON.parse(await text(process.stdin)).map(({ sdl, ...subgraph }) => ({
  ...subgraph,
  typeDefs: parse(sdl),
}));
const exclude = new Set(process.argv.slice(2));

const byApollo = apollo.composeServices(subgraphs);
const byGuild = guild.composeServices(subgraphs);
const byCosmo = cosmo.federateSubgraphs({
  subgraphs: subgraphs.map(({ typeDefs, ...subgraph }) => ({ ...subgraph, definitions: typeDefs })),
  version: cosmo.LATEST_ROUTER_COMPATIBILITY_VERSION,
});
const contract = guild.composeSchemaContract(subgraphs, { include: new Set(), exclude }, true);

const said = (errors, hints = [], supergraphSdl) => ({
  errors: (errors ?? []).map(String),
  hints: hints.map(String),
  supergraphSdl,
});
const hints = byApollo.hints?.map(({ definition, message }) => `${definition.code}: ${message}`);
const compositions = {
  "@apollo/composition": said(byApollo.errors, hints, byApollo.supergraphSdl),
  "@theguild/federation-composition": said(byGuild.errors, [], byGuild.supergraphSdl),
  "@wundergraph/composition": said(byCosmo.errors, byCosmo.warnings),
  contract: said(contract.errors, [], contract.publicSdl),
};
process.stdout.write(JSON.stringify(compositions));
