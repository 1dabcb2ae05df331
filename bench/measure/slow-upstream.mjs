/** An upstream (the stub, told so before anyone started) that always takes 20 ms and never queues: what a gateway adds to it. */
import { load } from "../load/http-load.mjs";
import { SCENARIOS } from "../load/queries.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { medianOf, sample } from "./sample.mjs";

/** @param {Map<string, import("./sample.mjs").Sample[]>} taken */
function medians(taken) {
  return Object.fromEntries([...taken].map(([name, samples]) => [name, medianOf(samples)]));
}

/**
 * @param {{ contenders: readonly import("../peers/contender.mjs").RunningContender[], stub: any, rounds: number,
 *   seconds: number, progress: import("../progress.mjs").Progress }} options
 */
export async function measureSlowUpstream({ contenders, stub, rounds, seconds, progress }) {
  const straight = [];
  const single = new Map(contenders.map(({ name }) => [name, []]));
  const fifty = new Map(contenders.map(({ name }) => [name, []]));
  const path = "/api/v3/sources/user_connections/plex/5/";
  for (let round = 0; round < rounds; round++) {
    const token = tokenFor({ directory: 1000 });
    straight.push(await load(`${stub.url}${path}`, { bodies: null, token, connections: 64, seconds }));
    for (const contender of contenders) {
      const one = { stub, token, connections: 64, bodies: SCENARIOS.Q1.bodies(contender.dialect) };
      if (round === 0) await sample(contender, { ...one, seconds: 2 });
      single.get(contender.name)?.push(await sample(contender, { ...one, seconds }));
      const many = {
        stub,
        token: tokenFor({ directory: 100 }),
        connections: 1,
        bodies: SCENARIOS["Q3v-100"].bodies(contender.dialect),
      };
      if (round === 0) await sample(contender, { ...many, seconds: 1 });
      fifty.get(contender.name)?.push(await sample(contender, { ...many, seconds }));
      progress.say(`20 ms upstream, round ${round + 1}/${rounds}  ${contender.label}`);
    }
  }
  return { straight: medianOf(straight), single: medians(single), fifty: medians(fifty) };
}
