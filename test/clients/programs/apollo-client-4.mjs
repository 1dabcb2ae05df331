import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { codes, headers, notingFetch, ONE, report, sha256, SIBLINGS, url } from "./operations.mjs";

const useGETForHashedQueries = process.argv[3] === "GET";
const create = () =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([
      new PersistedQueryLink({ sha256, useGETForHashedQueries }),
      new HttpLink({ uri: url, headers, fetch: notingFetch }),
    ]),
  });
const query = { query: gql(ONE), variables: { id: 7 } };
const { data } = await create().query(query);
const { data: byHash } = await create().query(query);
const siblings = await create().query({ query: gql(SIBLINGS), errorPolicy: "all" });
report({ one: data, byHash, siblings: siblings.data, codes: codes(siblings.error?.errors) });
