// What every client sends. Each program runs with the gateway's URL as its argument and prints what its client got.
import { createHash } from "node:crypto";

export const url = process.argv[2];
export const headers = { authorization: "Bearer token-of-administrator" };

export const ONE = "query One($id: ID!) { plexConnection(id: $id) { identifier user } }";
export const SIBLINGS =
  'query Siblings { a: plexConnection(id: 5) { user } bad: plexConnection(id: "abc") { user } b: plexConnection(id: 6) { user } }';

const sent = [];

/** `fetch`, but for a note of what went over the wire: the operation in full, by its hash, or both. */
export async function notingFetch(input, init) {
  const response = await fetch(input, init);
  const search = new URL(input).searchParams;
  const params =
    init.method === "GET"
      ? { query: search.get("query"), extensions: JSON.parse(search.get("extensions")) }
      : JSON.parse(init.body);
  const parts = [params.query ? "query" : "", params.extensions?.persistedQuery ? "hash" : ""];
  sent.push(`${init.method} ${parts.filter(Boolean).join("+")} ${response.status}`);
  return response;
}

export const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Errors as every client can tell them. */
export const codes = (errors) =>
  (errors ?? []).map(({ path, extensions }) => `${path?.join(".")} ${extensions?.code}`);

export function report(outcome) {
  console.log(JSON.stringify({ ...outcome, sent }));
}
