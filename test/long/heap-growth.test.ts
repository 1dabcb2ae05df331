import { beforeAll, expect, onTestFinished, test } from "vitest";
import { buildCli, type Cli, preload, startCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startLoad } from "./load.ts";

/** Enough to fill what is kept with a bound: documents, and what is known about the lists of 10,000 callers. */
const WARM_UP = Number(process.env["HEAP_WARM_UP"] ?? 60_000);
const MEASURED = Number(process.env["HEAP_REQUESTS"] ?? 100_000);
const MAX_BYTES_PER_REQUEST = 50;

/** Lets the process say, when asked by a signal, how much heap is left after a collection. */
const heapReporter = `
  import v8 from "node:v8"; import vm from "node:vm";
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  let reports = 0;
  process.on("SIGUSR2", () => {
    collect(); collect();
    process.stderr.write("heap " + (reports += 1) + " " + process.memoryUsage().heapUsed + "\\n");
  });`;

beforeAll(buildCli);

test("the heap does not grow with the number of requests", async () => {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  const cli = startCli(["--port=0"], {
    AUTHENTIK_URL: authentik.url.href,
    LOG_LEVEL: "silent",
    // Full before the measurement starts.
    DOCUMENT_CACHE_BYTES: "1048576",
    ...preload(heapReporter),
  });
  const base = new URL(await cli.url());
  const load = startLoad(base, {
    clients: 32,
    body: mixedBody,
    leaves: (index) => index % 10 === 7,
    // A new caller each time: whatever is kept by caller without bound would show.
    authorization: (index) => `Bearer token-${index}`,
  });
  await expect.poll(load.sent, { timeout: 500_000, interval: 100 }).toBeGreaterThan(WARM_UP);
  const before = await heapOf(cli, 1);
  const fromRequest = load.sent();
  await expect.poll(load.sent, { timeout: 500_000, interval: 100 }).toBeGreaterThan(fromRequest + MEASURED);
  const after = await heapOf(cli, 2);
  const requests = load.sent() - fromRequest;
  const { statuses, failures } = await load.stop();
  const bytesPerRequest = (after - before) / requests;
  console.log(
    `heap ${before} -> ${after} over ${requests} requests: ${bytesPerRequest.toFixed(1)} bytes each`,
    Object.fromEntries(statuses),
  );
  expect(Object.fromEntries(failures)).toEqual({});
  expect(bytesPerRequest).toBeLessThanOrEqual(MAX_BYTES_PER_REQUEST);
});

/** Answers, nulls, refused ids, several ids, syntax errors, and documents that were never seen before. */
function mixedBody(index: number): string {
  const id = (index % 150) + 1;
  const queries = [
    `query One { plexConnection(id: ${id}) { pk user source { name } } }`,
    `{ a: plexConnection(id: ${id}) { pk } b: plexConnection(id: ${id + 1}) { pk } }`,
    `{ plexConnection(id: "not-${index}") { pk } }`,
    `{ x${index}: plexConnection(id: 1) { pk } }`,
    `{ broken${index} `,
  ];
  return JSON.stringify({ query: queries[index % queries.length] });
}

async function heapOf(cli: Cli, report: number): Promise<number> {
  cli.kill("SIGUSR2");
  const [, bytes] = await cli.printed(new RegExp(`^heap ${report} (\\d+)$`, "m"));
  return Number(bytes);
}
