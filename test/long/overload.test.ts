import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { buildCli, startBefore } from "../process/cli.ts";
import type { AnswerHandler } from "../support/fake-authentik.ts";
import { startLoad } from "./load.ts";

const ROOM = 50;

beforeAll(buildCli);

const query = (index: number): string => `{ plexConnection(id: ${(index % 100) + 1}) { pk } }`;
const answer: AnswerHandler = (_request, _response, fallback) => void setTimeout(fallback, 50);

test("at twice what it takes at once: only 200 and 503 with Retry-After, quick for those let in, well again at once", async () => {
  const room = String(ROOM);
  const env = { AUTHENTIK_CONCURRENCY: room, LOG_LEVEL: "error" };
  const { url } = await startBefore({ answer }, ["--max-operations-in-flight", room], env);
  const run = async (clients: number, forMs: number) => {
    const load = startLoad(new URL(url), { clients, query });
    await sleep(forMs);
    const result = await load.stop();
    return {
      ...result,
      p99Ms: result.latenciesMs[Math.floor(result.latenciesMs.length * 0.99)] ?? Number.NaN,
    };
  };

  await run(ROOM / 2, 2000);
  const unloaded = await run(ROOM / 2, 5000);
  const overloaded = await run(ROOM * 2, 60_000);
  await sleep(1000);
  const recovered = await run(ROOM / 2, 4000);

  for (const { statuses, p99Ms } of [unloaded, overloaded, recovered]) console.log({ ...statuses, p99Ms });
  expect(overloaded.failures).toEqual([]);
  expect(Object.keys(overloaded.statuses)).toEqual(["200", "503"]);
  expect(overloaded.withoutRetryAfter).toBe(0);
  expect(overloaded.p99Ms).toBeLessThanOrEqual(3 * unloaded.p99Ms);
  expect(Object.keys(recovered.statuses)).toEqual(["200"]);
  expect(recovered.p99Ms).toBeLessThanOrEqual(3 * unloaded.p99Ms);
});
