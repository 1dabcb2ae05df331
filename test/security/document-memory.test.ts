import { beforeAll, expect, onTestFinished, test } from "vitest";
import { buildCli } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { times } from "./adversarial-documents.ts";
import { residentBytes, startGatewayProcess } from "./support/child.ts";

/** `npm run test:long` sends more. */
const COUNT = process.env["TEST_LONG"] === undefined ? 200 : 1_000;

/** Documents of 100 KB, all different: some valid and kept, some refused, some barely documents. */
const LARGE: readonly ((index: number) => string)[] = [
  (index) => `query Q${index}{__typename} #${"x".repeat(100_000)}`,
  (index) =>
    `query Q${index}{${times(900, (k) => `a${k}:plexConnection(id:${k + 1}){pk id}`)}} #${"y".repeat(60_000)}`,
  (index) => `query Q${index}{${times(9_000, (k) => `a${k}_${index}:x `)}}`,
  (index) => `query Q${index}{${times(6_000, (k) => `nothing${k}_${index} `)}}`,
];

beforeAll(buildCli, 60_000);

test(`${COUNT} distinct documents of 100 KB leave a process with a heap of 512 MB alive and below 250 MB`, async () => {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  const gateway = await startGatewayProcess(authentik.url, {
    env: { LOG_LEVEL: "fatal" },
    nodeFlags: ["--max-old-space-size=512"],
  });
  onTestFinished(gateway.stop);
  let mostBytes = 0;
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < COUNT) {
      const index = next++;
      await ask(gateway.url, LARGE[index % LARGE.length]?.(index) ?? "", { authorization: null });
      mostBytes = Math.max(mostBytes, residentBytes(gateway));
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  console.log(`${COUNT} documents of 100 KB: at most ${(mostBytes / 1024 / 1024).toFixed(0)} MiB resident`);
  expect(gateway.child.exitCode).toBeNull();
  expect(mostBytes).toBeLessThan(250 * 1024 * 1024);
}, 120_000);
