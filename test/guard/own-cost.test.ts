import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { startBareProxy } from "./bare-proxy.ts";
import { createPoster, firstIds, operation } from "./operations.ts";

const ROUNDS = 3;
const OPERATIONS = 150;
const TIMEOUT_MS = 90_000;

/** CPU time of this process, which holds the client and authentik's stand-in too; microseconds. */
async function cpuUs(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

// Ratios of CPU time of the same process, taken in turn: another machine or a busy one moves both sides. The bounds are
// about twice what is usual; what they catch is a path that became several times as expensive.
describe("what an operation costs the gateway", () => {
  const at = useGateway(
    beforeAll,
    { pks: firstIds(400) },
    { gateway: { coalesce: false }, authentik: { list: false, coalesce: false, concurrency: 16 } },
  );

  it("stays near a proxy that knows no GraphQL", { timeout: TIMEOUT_MS }, async () => {
    const bare = await startBareProxy(at.authentik.url);
    onTestFinished(() => bare.close());
    const [ours, yardstick] = [at.gateway, bare].map(({ url }) => createPoster(url, { connections: 16 }));
    const bodies = Array.from({ length: OPERATIONS }, (_, index) => operation([(index % 100) + 1]));
    const ratios: number[] = [];
    await ours?.postAll(bodies);
    await yardstick?.postAll(bodies);
    for (let round = 0; round < ROUNDS; round += 1) {
      const own = await cpuUs(async () => ours?.postAll(bodies));
      ratios.push(own / (await cpuUs(async () => yardstick?.postAll(bodies))));
    }
    await ours?.close();
    await yardstick?.close();
    expect(median(ratios)).toBeLessThan(5);
  });

  it("grows with the ids of an operation, not with their square", { timeout: TIMEOUT_MS }, async () => {
    const poster = createPoster(at.gateway.url, { connections: 1 });
    const few = Array.from({ length: 40 }, () => operation(firstIds(40)));
    const many = Array.from({ length: 4 }, () => operation(firstIds(400)));
    const ratios: number[] = [];
    await poster.postAll(few);
    await poster.postAll(many);
    for (let round = 0; round < ROUNDS; round += 1) {
      // The same number of ids on both sides.
      const small = await cpuUs(async () => poster.postAll(few));
      ratios.push((await cpuUs(async () => poster.postAll(many))) / small);
    }
    await poster.close();
    expect(median(ratios)).toBeLessThan(3);
  });
});
