import { beforeAll, expect, onTestFinished, test } from "vitest";
import { runFuzz } from "../fuzz/run.ts";
import { buildCli } from "../process/cli.ts";
import { sendLargeDocuments } from "../security/document-memory.ts";
import { echoCallers, runIsolation, SET_UPS } from "../security/isolation.ts";
import { START_FLAGS, startGatewayProcess } from "../security/support/gateway-process.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway } from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";

beforeAll(buildCli);

test.each(SET_UPS)(
  "10,000 responses to 500 callers hold no foreign value, with %s",
  async (_name, options) => {
    const seed = Date.now() % 2 ** 31;
    console.log(`isolation: random seed ${seed}`);
    const authentik = await startFakeAuthentik();
    onTestFinished(() => authentik.close());
    echoCallers(authentik, createRandom(seed));
    const gateway = await startGateway({
      authentikUrl: authentik.url,
      ...options,
      authentik: { concurrency: 128, ...options.authentik },
    });
    onTestFinished(() => gateway.close());
    const report = await runIsolation(gateway.url, {
      responses: 10_700,
      concurrency: 100,
      random: createRandom(seed + 1),
    });
    console.log(`isolation: ${JSON.stringify(report)}`);
    expect(report.foreign).toBe(0);
    expect(report.answered).toBeGreaterThanOrEqual(10_000);
  },
);

test("1,000 distinct documents of 100 KB leave a process with a heap of 512 MB alive and below 250 MB", async () => {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  const gateway = await startGatewayProcess(authentik.url, {
    env: { LOG_LEVEL: "fatal" },
    nodeFlags: [...START_FLAGS, "--max-old-space-size=512"],
  });
  onTestFinished(() => gateway.stop());
  const most = await sendLargeDocuments(gateway, 1_000);
  console.log(`1,000 documents of 100 KB: at most ${(most / 1024 / 1024).toFixed(0)} MiB resident`);
  expect(gateway.child.exitCode).toBeNull();
  expect(most).toBeLessThan(250 * 1024 * 1024);
});

/** Minutes of random inputs; more for nights: `FUZZ_MINUTES=60 npm run test:long`. */
test("random inputs keep every promise for as long as was asked for", async () => {
  const endsAt = performance.now() + Number(process.env["FUZZ_MINUTES"] ?? "1") * 60_000;
  let inputs = 0;
  do {
    const seed = Date.now() % 2 ** 31;
    console.log(`fuzz: random seed ${seed}`);
    inputs += await runFuzz({ cases: 10_000, seed });
  } while (performance.now() < endsAt);
  console.log(`fuzz: ${inputs} inputs`);
  expect(inputs).toBeGreaterThanOrEqual(10_000);
}, 0);
