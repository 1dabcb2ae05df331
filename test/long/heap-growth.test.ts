import { beforeAll, expect, onTestFinished, test } from "vitest";
import { buildCli } from "../process/cli.ts";
import { costOf, startMeasuredGateway } from "../security/support/price.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startLoad } from "./load.ts";

/** Enough to fill what is kept with a bound: documents, and what is known about the lists of 10,000 callers. */
const WARM_UP = 60_000;
const MEASURED = 100_000;
const patience = { timeout: 500_000, interval: 100 };

beforeAll(buildCli);

test("the heap does not grow with the number of requests", async () => {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  // Full before the measurement starts.
  const env = { LOG_LEVEL: "silent", DOCUMENT_CACHE_BYTES: "1048576" };
  const gateway = await startMeasuredGateway(authentik.url, env);
  onTestFinished(gateway.stop);
  const load = startLoad(gateway.url, {
    clients: 32,
    // A new caller each time: whatever is kept by caller without bound would show.
    query: mixedQuery,
    leaves: (index) => index % 10 === 7,
  });
  await expect.poll(load.sent, patience).toBeGreaterThan(WARM_UP);
  const { heldBytes: before } = await costOf(gateway);
  const fromRequest = load.sent();
  await expect.poll(load.sent, patience).toBeGreaterThan(fromRequest + MEASURED);
  const { heldBytes: after } = await costOf(gateway);
  const requests = load.sent() - fromRequest;
  const { statuses, failures } = await load.stop();
  const bytesPerRequest = (after - before) / requests;
  console.log({ before, after, requests, bytesPerRequest, statuses });
  expect(failures).toEqual([]);
  expect(bytesPerRequest).toBeLessThanOrEqual(50);
});

/** Answers, nulls, refused ids, several ids, syntax errors, and documents that were never seen before. */
function mixedQuery(index: number): string {
  const id = (index % 150) + 1;
  const queries = [
    `query One { plexConnection(id: ${id}) { pk user source { name } } }`,
    `{ a: plexConnection(id: ${id}) { pk } b: plexConnection(id: ${id + 1}) { pk } }`,
    `{ plexConnection(id: "not-${index}") { pk } }`,
    `{ x${index}: plexConnection(id: 1) { pk } }`,
    `{ broken${index} `,
  ];
  return queries[index % queries.length] ?? "";
}
