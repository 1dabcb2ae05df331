/** What each contender costs itself: throughput, latency and CPU on a fast upstream, in interleaved rounds. */
import { SCENARIOS } from "../load/queries.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { medianOf, sample } from "./sample.mjs";

const CONNECTIONS = 64;
const WARM_SECONDS = 1;

/**
 * @param {{ contenders: readonly import("../peers/contender.mjs").RunningContender[], stub: any, rounds: number,
 *   seconds: number, progress: import("../progress.mjs").Progress }} options
 * @returns {Promise<Record<string, Record<string, import("./sample.mjs").Sample>>>} by scenario and contender
 */
export async function measureGatewayCost({ contenders, stub, rounds, seconds, progress }) {
  const results = {};
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const taken = new Map(contenders.map((contender) => [contender.name, []]));
    const token = tokenFor({ directory: scenario.directory });
    for (let round = 0; round < rounds; round++) {
      for (const contender of contenders) {
        const run = { stub, bodies: scenario.bodies(contender.dialect), token, connections: CONNECTIONS };
        // A short run warms everyone up once, a longer one for each operation.
        if (round === 0 && (rounds > 1 || name === "Q1"))
          await sample(contender, { ...run, seconds: WARM_SECONDS });
        const one = await sample(contender, { ...run, seconds });
        taken.get(contender.name)?.push(one);
        progress.say(
          `${name} round ${round + 1}/${rounds}  ${contender.label}: ${Math.round(one.perSecond)}/s` +
            (one.failed ? `, ${one.failed} failed` : ""),
        );
      }
    }
    results[name] = Object.fromEntries([...taken].map(([who, samples]) => [who, medianOf(samples)]));
  }
  return results;
}
