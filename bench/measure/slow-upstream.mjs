/** An upstream (the stub, told so before anyone started) that always takes 20 ms and never queues: what a gateway adds to it. */
import { load } from "../load/http-load.mjs";
import { SCENARIOS } from "../load/queries.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { medianOf, sample, warmUp } from "./sample.mjs";

/** @param {Map<string, import("./sample.mjs").Sample[]>} taken */
function medians(taken) {
  return Object.fromEntries([...taken].map(([name, samples]) => [name, medianOf(samples)]));
}

/**
 * Rounds of single ids last `slowSeconds`: in short ones the slowest hundredth is what happened while everyone, who had been
 * idle for long, opened connections.
 * @param {{ contenders: readonly import("../peers/contender.mjs").RunningContender[], stub: any, rounds: number,
 *   seconds: number, slowSeconds: number, warmSeconds: { first: number }, progress: import("../progress.mjs").Progress }} options
 */
export async function measureSlowUpstream({
  contenders,
  stub,
  rounds,
  seconds,
  slowSeconds,
  warmSeconds,
  progress,
}) {
  const straight = [];
  const single = new Map(contenders.map(({ name }) => [name, []]));
  const fifty = new Map(contenders.map(({ name }) => [name, []]));
  const path = "/api/v3/sources/user_connections/plex/5/";
  const token = tokenFor({ directory: 1000 });
  const one = ({ dialect }) => ({ stub, token, connections: 64, bodies: SCENARIOS.Q1.bodies(dialect) });
  const many = ({ dialect }) => ({
    stub,
    token: tokenFor({ directory: 100 }),
    connections: 1,
    bodies: SCENARIOS["Q3v-100"].bodies(dialect),
  });
  await warmUp(contenders, (contender) => ({ ...one(contender), seconds: warmSeconds.first }), progress);
  await warmUp(contenders, (contender) => ({ ...many(contender), seconds: 1 }), progress);
  for (let round = 0; round < rounds; round++) {
    const upstream = { bodies: null, token, connections: 64, seconds: slowSeconds };
    straight.push(await load(`${stub.url}${path}`, upstream));
    for (const contender of contenders) {
      single.get(contender.name)?.push(await sample(contender, { ...one(contender), seconds: slowSeconds }));
      fifty.get(contender.name)?.push(await sample(contender, { ...many(contender), seconds }));
      progress.say(`20 ms upstream, round ${round + 1}/${rounds}  ${contender.label}`);
    }
  }
  return { straight: medianOf(straight), single: medians(single), fifty: medians(fifty) };
}
