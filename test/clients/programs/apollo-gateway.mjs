import { ApolloGateway, IntrospectAndCompose, RemoteGraphQLDataSource } from "@apollo/gateway";
import { parse } from "graphql";
import { codes, headers, notingFetch, ONE, report, SIBLINGS, url } from "./operations.mjs";

class DataSource extends RemoteGraphQLDataSource {
  willSendRequest({ request }) {
    request.http.headers.set("authorization", headers.authorization);
  }
}

const logger = { debug() {}, info() {}, warn: console.error, error: console.error };
const gateway = new ApolloGateway({
  logger,
  supergraphSdl: new IntrospectAndCompose({ subgraphs: [{ name: "authentik", url }] }),
  // The SDL is read in full, operations by hash.
  buildService: () => new DataSource({ url, apq: true, fetcher: notingFetch }),
});
const { executor, schema } = await gateway.load();
const run = (source, variables = {}) =>
  executor({
    schema,
    logger,
    source,
    document: parse(source),
    queryHash: source,
    request: { query: source, variables },
    context: {},
    metrics: {},
    overallCachePolicy: { restrict() {} },
  });
const one = await run(ONE, { id: "7" });
const byHash = await run(ONE, { id: "7" });
const siblings = await run(SIBLINGS);
await gateway.stop();
report({ one: one.data, byHash: byHash.data, siblings: siblings.data, codes: codes(siblings.errors) });
