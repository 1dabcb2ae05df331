/** Short runs of load in turns, with what they cost the server. */
import { median } from "../load/clients.mjs";
import { load } from "../load/http-load.mjs";

/**
 * @typedef {object} Sample
 * @property {number} perSecond operations
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} restCalls for each operation
 * @property {number} cpuUs of the server for each operation
 * @property {number} failed operations without a good answer
 * @property {number} loadCoreBusy share of the time
 *
 * @typedef {Sample & { rounds: { perSecond: number, cpuUs: number }[] }} Samples the median of each figure on its own
 */

/**
 * @param {import("../peers/contender.mjs").RunningContender} contender
 * @param {{ stub: import("../stubs/stubs.mjs").Stub, url?: string } & import("../load/http-load.mjs").Traffic} options
 * @returns {Promise<Sample>}
 */
export async function sample(contender, { stub, url = contender.url, ...traffic }) {
  await stub.reset();
  const cpuBefore = contender.cpuSeconds();
  const { perSecond, operations, p50Ms, p99Ms, failed, loadCoreBusy } = await load(url, traffic);
  const cpuUs = ((contender.cpuSeconds() - cpuBefore) * 1e6) / operations;
  const restCalls = (await stub.stats()).calls / operations;
  return { perSecond, p50Ms, p99Ms, restCalls, cpuUs, failed, loadCoreBusy };
}

/**
 * Everyone takes a turn in each round, so that what slows the machine down for a while slows everyone.
 * @param {readonly { name: string, label: string, warmUp: () => Promise<unknown>, take: () => Promise<Sample> }[]} runs
 * @param {{ what: string, rounds: number, say: (text: string) => void }} options
 * @returns {Promise<Record<string, Samples>>}
 */
export async function inTurns(runs, { what, rounds, say }) {
  const taken = new Map(runs.map(({ name }) => [name, []]));
  const attempt = async ({ name, label }, run) => {
    try {
      return taken.has(name) ? await run() : undefined;
    } catch (error) {
      // One that has ended does not take the others with it.
      taken.delete(name);
      say(`${what}  ${label} is left out: ${error.message}`);
      return undefined;
    }
  };
  for (const run of runs) await attempt(run, run.warmUp);
  for (let round = 1; round <= rounds; round++)
    for (const run of runs) {
      const one = await attempt(run, run.take);
      if (!one) continue;
      const { name, label } = run;
      taken.get(name)?.push(one);
      const remark = one.failed ? `, ${one.failed} failed` : "";
      say(
        `${what} ${round}/${rounds}  ${label}: ${Math.round(one.perSecond)}/s, ${Math.round(one.cpuUs)} µs${remark}`,
      );
    }
  return Object.fromEntries([...taken].map(([name, samples]) => [name, medianOf(samples)]));
}

/** @param {readonly Sample[]} samples @returns {Samples} failures are added up */
function medianOf(samples) {
  const names = Object.keys(samples[0]);
  return {
    ...Object.fromEntries(names.map((name) => [name, median(samples.map((one) => one[name]))])),
    failed: samples.reduce((sum, { failed }) => sum + failed, 0),
    rounds: samples.map(({ perSecond, cpuUs }) => ({ perSecond, cpuUs })),
  };
}

/**
 * The median of what the rounds say, since neighbours on the machine slow a whole round down.
 * @param {Samples | undefined} one
 * @param {Samples | undefined} other of the same rounds
 * @param {"perSecond" | "cpuUs"} [figure]
 * @returns {number} NaN when one of them was not measured, or got nothing done
 */
export function ratioOf(one, other, figure = "perSecond") {
  if (!one || !other) return Number.NaN;
  return median(
    one.rounds.map((round, i) => round[figure] / other.rounds[i]?.[figure]).filter(Number.isFinite),
  );
}
