/** Cold start and memory. */
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "../load/clients.mjs";
import { startContender } from "../peers/contender.mjs";

/**
 * @param {{ contenders: readonly import("../peers/peers.mjs").Contender[], stub: any, rounds: number,
 *   progress: import("../progress.mjs").Progress }} options
 * @returns {Promise<Record<string, { startMs: number, idleMib: number }>>}
 */
export async function measureFootprint({ contenders, stub, rounds, progress }) {
  const results = {};
  const taken = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const contender of contenders) {
      const running = await startContender(contender, { upstreamUrl: stub.url, check: false });
      await sleep(1000);
      taken.get(contender.name)?.push({ startMs: running.startMs, idleMib: running.residentMib() });
      await running.stop();
    }
  for (const [name, samples] of taken)
    results[name] = {
      startMs: quantile(
        samples.map(({ startMs }) => startMs),
        0.5,
      ),
      idleMib: quantile(
        samples.map(({ idleMib }) => idleMib),
        0.5,
      ),
    };
  progress.say("cold start and idle memory measured");
  return results;
}
