// Sends with the client that genql made: node --import tsx genql.mjs URL
import { createClient, GenqlError } from "../.cache/genql/index.ts";
import { codes, headers, notingFetch, report, url } from "./operations.mjs";

const client = createClient({ url, headers, fetch: notingFetch });
const one = await client.query({ plexConnection: { __args: { id: 7 }, identifier: true, user: true } });

/** genql has no aliases: one field of each root field, one of them with an id that is none. */
const siblings = await client
  .query({
    plexConnection: { __args: { id: "abc" }, user: true },
    plexConnections: { __args: { first: 2 }, nodes: { user: true } },
  })
  .catch((error) => {
    if (error instanceof GenqlError) return error;
    throw error;
  });
report({ one, siblings: siblings.data, codes: codes(siblings.errors) });
