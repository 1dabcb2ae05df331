// Sends what relay-compiler made, in the body that react-relay-network-modern makes: node relay.mjs URL
import one from "../.cache/relay/__generated__/oneQuery.graphql.js";
import siblings from "../.cache/relay/__generated__/siblingsQuery.graphql.js";
import { codes, headers, notingFetch, report, url } from "./operations.mjs";

async function send({ params }, variables) {
  const body = JSON.stringify({ id: params.cacheID, query: params.text, variables });
  const init = {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept: "*/*" },
    body,
  };
  return (await notingFetch(url, init)).json();
}

const answer = await send(one, { id: 7 });
const { data, errors } = await send(siblings, {});
report({ one: answer.data, siblings: data, codes: codes(errors) });
