import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { buildCli, startCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { type LoadResult, percentile, startLoad } from "./load.ts";

const UPSTREAM_MS = 50;
const ROOM = 50;
const OVERLOAD_MS = Number(process.env["OVERLOAD_MS"] ?? 60_000);

beforeAll(buildCli);

test("at twice what it takes at once: only 200 and 503 with Retry-After, quick for those let in, well again at once", async () => {
  const authentik = await startFakeAuthentik({
    answer: async (_request, _response, fallback) => {
      await sleep(UPSTREAM_MS);
      fallback();
    },
  });
  onTestFinished(() => authentik.close());
  const cli = startCli(["--port=0", "--max-operations-in-flight", String(ROOM)], {
    AUTHENTIK_URL: authentik.url.href,
    AUTHENTIK_CONCURRENCY: String(ROOM),
    LOG_LEVEL: "error",
  });
  const base = new URL(await cli.url());
  // Different for each client, so that no operation is answered by another one's.
  const options = {
    patient: true,
    body: (index: number) => JSON.stringify({ query: `{ plexConnection(id: ${(index % 100) + 1}) { pk } }` }),
    authorization: (index: number) => `Bearer token-${index}`,
  };
  const run = async (clients: number, forMs: number): Promise<LoadResult> => {
    const load = startLoad(base, { ...options, clients });
    await sleep(forMs);
    return load.stop();
  };

  await run(ROOM / 2, 2000);
  const unloaded = await run(ROOM / 2, 5000);
  const overloaded = await run(ROOM * 2, OVERLOAD_MS);
  await sleep(1000);
  const recovered = await run(ROOM / 2, 4000);

  const figures = [unloaded, overloaded, recovered].map(({ statuses, latenciesMs }) => ({
    ...Object.fromEntries(statuses),
    p50Ms: Math.round(percentile(latenciesMs, 0.5)),
    p99Ms: Math.round(percentile(latenciesMs, 0.99)),
  }));
  console.log(JSON.stringify(figures));
  expect(Object.fromEntries(overloaded.failures)).toEqual({});
  expect(new Set(overloaded.statuses.keys())).toEqual(new Set([200, 503]));
  expect(overloaded.withoutRetryAfter).toBe(0);
  const limitMs = 3 * percentile(unloaded.latenciesMs, 0.99);
  expect(percentile(overloaded.latenciesMs, 0.99)).toBeLessThanOrEqual(limitMs);
  expect([...recovered.statuses.keys()]).toEqual([200]);
  expect(percentile(recovered.latenciesMs, 0.99)).toBeLessThanOrEqual(limitMs);
});
