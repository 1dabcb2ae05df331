// node apollo-client.mjs URL METHOD VERSION
import { codes, headers, notingFetch, ONE, report, sha256, SIBLINGS, url } from "./operations.mjs";

const [method, version] = process.argv.slice(3);
const { ApolloClient, createPersistedQueryLink, gql, HttpLink, InMemoryCache } =
  version === "3"
    ? {
        ...(await import("apollo-client-3/core/core.cjs")).default,
        ...(await import("apollo-client-3/link/persisted-queries/persisted-queries.cjs")).default,
      }
    : { ...(await import("@apollo/client")), ...(await import("@apollo/client/link/persisted-queries")) };
const create = () =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: createPersistedQueryLink({ sha256, useGETForHashedQueries: method === "GET" }).concat(
      new HttpLink({ uri: url, headers, fetch: notingFetch }),
    ),
  });
const query = { query: gql(ONE), variables: { id: 7 } };
const { data } = await create().query(query);
const { data: byHash } = await create().query(query);
const { data: siblings, ...rest } = await create().query({ query: gql(SIBLINGS), errorPolicy: "all" });
report({ one: data, byHash, siblings, codes: codes(rest.errors ?? rest.error?.errors) });
