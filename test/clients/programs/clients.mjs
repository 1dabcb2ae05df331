// Asks as the users of a client do: node clients.mjs URL CLIENT …; prints what the client got, and what it sent.
import { createHash } from "node:crypto";
import { parse, print } from "graphql";
import { ONE, SIBLINGS } from "./operations.mjs";

const [url, client, ...options] = process.argv.slice(2);
const headers = { authorization: "Bearer token-of-administrator" };
const json = { ...headers, "content-type": "application/json" };
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const sent = [];

/** `fetch`, but for a note of what went over the wire: the operation in full, by its hash, or both. */
async function notingFetch(input, init) {
  const response = await fetch(input, init);
  const search = new URL(input).searchParams;
  const isGet = init.method === "GET";
  const { query, extensions } = isGet ? Object.fromEntries(search) : JSON.parse(init.body);
  const parts = [query ? "query" : "", extensions ? "hash" : ""];
  sent.push(`${init.method} ${parts.filter(Boolean).join("+")} ${response.status}`);
  return response;
}

/** By POST, read as JSON. */
const post = async (body) =>
  (await notingFetch(url, { method: "POST", headers: json, body: JSON.stringify(body) })).json();

const clients = {
  async "graphql-request"() {
    const { GraphQLClient } = await import("graphql-request");
    const graph = new GraphQLClient(url, { headers, fetch: notingFetch, errorPolicy: "all" });
    return { one: await graph.rawRequest(ONE, { id: 7 }), siblings: await graph.rawRequest(SIBLINGS) };
  },

  /** Merges operations into one. */
  async "batch-execute"() {
    const { createBatchingExecutor } = await import("@graphql-tools/batch-execute");
    const execute = createBatchingExecutor(({ document, variables }) =>
      post({ query: print(document), variables }),
    );
    const [one, siblings] = await Promise.all([
      execute({ document: parse(ONE), variables: { id: 7 } }),
      execute({ document: parse(SIBLINGS) }),
    ]);
    return { one, siblings };
  },

  async "@apollo/client"(version, method) {
    const { ApolloClient, createPersistedQueryLink, gql, HttpLink, InMemoryCache } =
      version === "3"
        ? {
            ...(await import("apollo-client-3/core/core.cjs")).default,
            ...(await import("apollo-client-3/link/persisted-queries/persisted-queries.cjs")).default,
          }
        : { ...(await import("@apollo/client")), ...(await import("@apollo/client/link/persisted-queries")) };
    const http = { uri: url, headers, fetch: notingFetch };
    const hashing = { sha256, useGETForHashedQueries: method === "GET" };
    const query = (operation) =>
      new ApolloClient({
        cache: new InMemoryCache(),
        link: createPersistedQueryLink(hashing).concat(new HttpLink(http)),
      }).query({ errorPolicy: "all", ...operation });
    const one = { query: gql(ONE), variables: { id: 7 } };
    const [first, byHash] = [await query(one), await query(one)];
    const { data, errors, error } = await query({ query: gql(SIBLINGS) });
    return { one: first, byHash, siblings: { data, errors: errors ?? error?.errors } };
  },

  async "@urql/exchange-persisted"(method) {
    const { cacheExchange, Client, fetchExchange } = await import("@urql/core");
    const { persistedExchange } = await import("@urql/exchange-persisted");
    const preferGetForPersistedQueries = method === "GET";
    const persisted = persistedExchange({
      preferGetForPersistedQueries,
      generateHash: async (query) => sha256(query),
    });
    const exchanges = [cacheExchange, persisted, fetchExchange];
    const query = (text, variables) =>
      new Client({ url, fetch: notingFetch, fetchOptions: { headers }, preferGetMethod: false, exchanges })
        .query(text, variables)
        .toPromise();
    const [one, byHash] = [await query(ONE, { id: 7 }), await query(ONE, { id: 7 })];
    const { data, error } = await query(SIBLINGS, {});
    return { one, byHash, siblings: { data, errors: error?.graphQLErrors } };
  },

  async "@apollo/gateway"() {
    const { ApolloGateway, IntrospectAndCompose, RemoteGraphQLDataSource } = await import("@apollo/gateway");
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
    return { one, byHash, siblings };
  },

  /** Sends what relay-compiler made, in the body that react-relay-network-modern makes. */
  async relay() {
    const { default: one } = await import("../.cache/relay/__generated__/oneQuery.graphql.js");
    const { default: siblings } = await import("../.cache/relay/__generated__/siblingsQuery.graphql.js");
    return {
      one: await post({ id: one.params.cacheID, query: one.params.text, variables: { id: 7 } }),
      siblings: await post({ id: siblings.params.cacheID, query: siblings.params.text, variables: {} }),
    };
  },

  /** Asks with the client that genql made. It has no aliases: a field of each root field, one with an id that is none. */
  async genql() {
    const { createClient, GenqlError } = await import("../.cache/genql/index.ts");
    const graph = createClient({ url, headers, fetch: notingFetch });
    const data = await graph.query({ plexConnection: { __args: { id: 7 }, identifier: true, user: true } });
    const siblings = await graph
      .query({
        plexConnection: { __args: { id: "abc" }, user: true },
        plexConnections: { __args: { first: 2 }, nodes: { user: true } },
      })
      .catch((error) => {
        if (error instanceof GenqlError) return error;
        throw error;
      });
    return { one: { data }, siblings };
  },
};

const { one, byHash, siblings } = await clients[client](...options);
const codes = siblings.errors?.map(({ path, extensions }) => `${path?.join(".")} ${extensions?.code}`);
console.log(JSON.stringify({ one: one.data, byHash: byHash?.data, siblings: siblings.data, codes, sent }));
