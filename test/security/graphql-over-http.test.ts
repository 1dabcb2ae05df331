import { auditServer, serverAudits } from "graphql-http";
import { beforeAll, expect, test } from "vitest";
import { useGateway } from "../support/gateway.ts";

const at = useGateway(beforeAll);

test("passes every audit of graphql-http, with every protection on", async () => {
  const results = await auditServer({ url: new URL("/graphql", at.gateway.url).href });
  const failed = results
    .filter(({ status }) => status !== "ok")
    .map(({ id, name, status }) => ({ id, name, status }));
  expect(failed).toEqual([]);
  expect(results).toHaveLength(serverAudits({ url: "" }).length);
  expect(results.length).toBeGreaterThanOrEqual(61);
});
