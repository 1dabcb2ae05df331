import apollo from "apollo-client-3/core/core.cjs";
import persisted from "apollo-client-3/link/persisted-queries/persisted-queries.cjs";
import { codes, headers, notingFetch, ONE, report, sha256, SIBLINGS, url } from "./operations.mjs";

const { ApolloClient, gql, HttpLink, InMemoryCache } = apollo;
const useGETForHashedQueries = process.argv[3] === "GET";
const create = () =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: persisted
      .createPersistedQueryLink({ sha256, useGETForHashedQueries })
      .concat(new HttpLink({ uri: url, headers, fetch: notingFetch })),
  });
const query = { query: gql(ONE), variables: { id: 7 } };
const { data } = await create().query(query);
const { data: byHash } = await create().query(query);
const siblings = await create().query({ query: gql(SIBLINGS), errorPolicy: "all" });
report({ one: data, byHash, siblings: siblings.data, codes: codes(siblings.errors) });
