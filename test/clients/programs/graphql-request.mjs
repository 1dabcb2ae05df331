import { GraphQLClient } from "graphql-request";
import { codes, headers, notingFetch, ONE, report, SIBLINGS, url } from "./operations.mjs";

const client = new GraphQLClient(url, { headers, fetch: notingFetch, errorPolicy: "all" });
const one = await client.rawRequest(ONE, { id: 7 });
const siblings = await client.rawRequest(SIBLINGS);
report({ one: one.data, siblings: siblings.data, codes: codes(siblings.errors) });
