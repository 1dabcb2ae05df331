import { auditServer } from "graphql-http";
import { beforeAll, expect, test } from "vitest";
import { gatewayForTest, TOKEN, useGateway } from "../support/gateway.ts";

const at = useGateway(beforeAll, {}, { gateway: { introspection: false } });

const post = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: TOKEN, ...headers },
  body,
});
const TYPENAME = '{"query":"{__typename}"}';
const FIVE = "{plexConnection(id:5){pk}}";

/** What scanners of GraphQL (graphql-cop among them) call a finding, and no other test holds. */
const FINDINGS: [what: string, path: string, init: RequestInit, finding: RegExp][] = [
  ["batches", "/graphql", post(`[${TYPENAME},${TYPENAME}]`), /"data"/],
  ["GraphiQL", "/graphql", { headers: { accept: "text/html" } }, /graphiql/i],
  ["introspection", "/graphql", post('{"query":"{__schema{types{name}}}"}'), /"types"/],
  ["origins let in", "/graphql", post(TYPENAME, { origin: "https://evil.example" }), /access-control/],
  ["an echo of the body", "/graphql", post('{"canary'), /canary/],
  ["the name of the software", "/nothing", {}, /x-powered-by|\["server"|yoga/],
  ["a cookie that is a credential", `/graphql?query=${FIVE}`, { headers: { cookie: "a=b" } }, /"pk":5/],
];

test.each(FINDINGS)("a scanner does not find %s", async (_what, path, init, finding) => {
  const response = await fetch(new URL(path, at.gateway.url), init);
  expect((await response.text()) + JSON.stringify([...response.headers])).not.toMatch(finding);
  expect(at.authentik.requests).toEqual([]);
});

test("passes every audit of graphql-http, with every protection on", async () => {
  const { gateway } = await gatewayForTest();
  const results = await auditServer({ url: new URL("/graphql", gateway.url).href });
  expect(results.filter(({ status }) => status !== "ok")).toEqual([]);
  expect(results.length).toBeGreaterThanOrEqual(61);
});
