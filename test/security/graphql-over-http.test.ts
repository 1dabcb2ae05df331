import { auditServer, serverAudits } from "graphql-http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

let authentik: FakeAuthentik;
let gateway: TestGateway;

beforeAll(async () => {
  authentik = await startFakeAuthentik();
  gateway = await startGateway({ authentikUrl: authentik.url });
});
afterAll(async () => {
  await gateway.close();
  await authentik.close();
});

test("passes every audit of graphql-http, with every protection on", async () => {
  const results = await auditServer({ url: new URL("/graphql", gateway.url).href });
  const failed = results
    .filter(({ status }) => status !== "ok")
    .map(({ id, name, status }) => ({ id, name, status }));
  expect(failed).toEqual([]);
  expect(results).toHaveLength(serverAudits({ url: "" }).length);
  expect(results.length).toBeGreaterThanOrEqual(61);
});
