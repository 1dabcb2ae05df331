/** One short run of load against one contender, with what it cost everyone. */
import { setTimeout as sleep } from "node:timers/promises";
import { clientLoad, quantile } from "../load/clients.mjs";
import { load } from "../load/http-load.mjs";
import { costMs } from "../stubs/stubs.mjs";

/**
 * @typedef {object} Sample
 * @property {number} perSecond operations
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} restCalls for each operation
 * @property {number} rows listed for each operation
 * @property {number} costMs what authentik would have spent on each operation, in milliseconds of a worker
 * @property {number} cpuUs of the server for each operation
 * @property {number} failed operations without a good answer
 */

/**
 * @param {import("../peers/contender.mjs").RunningContender} contender
 * @param {{ stub: any, bodies: readonly string[], token: string, connections: number, seconds: number }} options
 * @returns {Promise<Sample>}
 */
export async function sample(contender, { stub, ...run }) {
  const ran = await counted(contender, stub, () => load(contender.url, run));
  // What the end of the run cut off was paid for and not counted: with few operations that would be most of it.
  const cutOff = ran.operations < 20 * run.connections;
  if (cutOff) await quiet(stub);
  const whole = cutOff ? await counted(contender, stub, () => finish(contender, run)) : ran;
  const each = (total) => total / whole.operations;
  return {
    perSecond: ran.perSecond,
    p50Ms: ran.p50Ms,
    p99Ms: ran.p99Ms,
    restCalls: each(whole.counts.retrieves + whole.counts.lists),
    rows: each(whole.counts.rows),
    costMs: each(costMs(whole.counts)),
    cpuUs: each(whole.cpuSeconds * 1e6),
    failed: ran.failed,
  };
}

/** Runs the load and counts what it cost. */
async function counted(contender, stub, run) {
  await stub.reset();
  const cpuBefore = contender.cpuSeconds();
  const figures = await run();
  return { ...figures, cpuSeconds: contender.cpuSeconds() - cpuBefore, counts: await stub.stats() };
}

/** Returns once the server asks for nothing any more, after 10 s at the latest. */
async function quiet(stub) {
  let before = -1;
  for (let look = 0; look < 50; look++) {
    const { retrieves, lists } = await stub.stats();
    if (retrieves + lists === before) return;
    before = retrieves + lists;
    await sleep(200);
  }
}

/** One operation on each connection, all of them answered. */
function finish(contender, { bodies, token, connections }) {
  return clientLoad(contender.url, {
    token: () => token,
    clients: connections,
    seconds: 0.001,
    body: (turn) => bodies[turn % bodies.length],
  });
}

/**
 * The median of each figure on its own; failures are added up.
 * @param {readonly Sample[]} samples one of each round
 * @returns {Sample & { rounds: { perSecond: number, p99Ms: number }[] }}
 */
export function medianOf(samples) {
  const names = Object.keys(samples[0]);
  const medians = Object.fromEntries(names.map((name) => [name, median(samples.map((one) => one[name]))]));
  return {
    ...medians,
    failed: samples.reduce((sum, { failed }) => sum + failed, 0),
    rounds: samples.map(({ perSecond, p99Ms }) => ({ perSecond, p99Ms })),
  };
}

/**
 * The median of what the rounds say, since neighbours on the machine slow a whole round down.
 * @param {ReturnType<typeof medianOf> | undefined} one
 * @param {ReturnType<typeof medianOf> | undefined} other of the same rounds
 * @param {(one: { perSecond: number, p99Ms: number }, other: { perSecond: number, p99Ms: number }) => number} compare
 * @returns {number} NaN when one of them was not measured
 */
export function compareRounds(one, other, compare) {
  if (!one || !other) return Number.NaN;
  return median(one.rounds.map((round, i) => compare(round, other.rounds[i])));
}

/** @param {readonly number[]} values */
function median(values) {
  return quantile(values, 0.5);
}

/**
 * Runs the load until what compiles code while it runs has compiled it.
 * @param {readonly import("../peers/contender.mjs").RunningContender[]} contenders
 * @param {(contender: import("../peers/contender.mjs").RunningContender) => Parameters<typeof sample>[1]} run
 * @param {import("../progress.mjs").Progress} progress
 */
export async function warmUp(contenders, run, progress) {
  for (const contender of contenders) await load(contender.url, run(contender));
  progress.say("everyone is warm");
}
