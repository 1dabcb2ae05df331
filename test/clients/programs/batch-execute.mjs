import { createBatchingExecutor } from "@graphql-tools/batch-execute";
import { parse, print } from "graphql";
import { codes, headers, notingFetch, ONE, report, SIBLINGS, url } from "./operations.mjs";

const execute = createBatchingExecutor(async ({ document, variables }) => {
  const body = JSON.stringify({ query: print(document), variables });
  const init = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body };
  return (await notingFetch(url, init)).json();
});
const [one, siblings] = await Promise.all([
  execute({ document: parse(ONE), variables: { id: 7 } }),
  execute({ document: parse(SIBLINGS) }),
]);
report({ one: one.data, siblings: siblings.data, codes: codes(siblings.errors) });
