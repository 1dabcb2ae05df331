import { cacheExchange, Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { codes, headers, notingFetch, ONE, report, sha256, SIBLINGS, url } from "./operations.mjs";

const preferGetForPersistedQueries = process.argv[3] === "GET";
const create = () =>
  new Client({
    url,
    fetch: notingFetch,
    fetchOptions: { headers },
    preferGetMethod: false,
    exchanges: [
      cacheExchange,
      persistedExchange({ preferGetForPersistedQueries, generateHash: async (query) => sha256(query) }),
      fetchExchange,
    ],
  });
const { data } = await create().query(ONE, { id: 7 });
const { data: byHash } = await create().query(ONE, { id: 7 });
const siblings = await create().query(SIBLINGS, {});
report({ one: data, byHash, siblings: siblings.data, codes: codes(siblings.error?.graphQLErrors) });
