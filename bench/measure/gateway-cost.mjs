/** What each contender costs itself: throughput, latency and CPU on a fast upstream, in interleaved rounds. */
import { SCENARIOS } from "../load/queries.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { medianOf, sample, warmUp } from "./sample.mjs";

const CONNECTIONS = 64;

/**
 * @param {{ contenders: readonly import("../peers/contender.mjs").RunningContender[], stub: any, rounds: number,
 *   seconds: number, warmSeconds: { first: number, next: number }, progress: import("../progress.mjs").Progress }} options
 * @returns {Promise<Record<string, Record<string, import("./sample.mjs").Sample>>>} by scenario and contender
 */
export async function measureGatewayCost({ contenders, stub, rounds, seconds, warmSeconds, progress }) {
  const results = {};
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const taken = new Map(contenders.map((contender) => [contender.name, []]));
    const token = tokenFor({ directory: scenario.directory });
    const run = ({ dialect }) => ({
      stub,
      bodies: scenario.bodies(dialect),
      token,
      connections: CONNECTIONS,
    });
    const warm = name === "Q1" ? warmSeconds.first : warmSeconds.next;
    await warmUp(contenders, (contender) => ({ ...run(contender), seconds: warm }), progress);
    for (let round = 0; round < rounds; round++) {
      for (const contender of contenders) {
        const one = await sample(contender, { ...run(contender), seconds });
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
