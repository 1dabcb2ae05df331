/** How figures grow: with the ids of an operation, the directory, the clients and our own workers. */
import { clientLoad } from "../load/clients.mjs";
import { SCENARIOS, createRandom, distinctIds, operation } from "../load/queries.mjs";
import { startContender } from "../peers/contender.mjs";
import { ours } from "../peers/peers.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { costMs, startTimedStub } from "../stubs/stubs.mjs";
import { sample, warmUp } from "./sample.mjs";

const BODIES = 200;

/**
 * Ids of one operation on the fast upstream, 16 connections, directory of 1000.
 * @param {{ contenders: readonly import("../peers/contender.mjs").RunningContender[], stub: any,
 *   ids: readonly number[], seconds: number, warmSeconds: { first: number },
 *   progress: import("../progress.mjs").Progress }} options
 */
export async function growIds({ contenders, stub, ids, seconds, warmSeconds, progress }) {
  const points = [];
  const run = ({ dialect }, count) => {
    const random = createRandom(count);
    const bodies = Array.from({ length: BODIES }, () =>
      operation(dialect, { ids: distinctIds(count, 1000, random), fields: "one" }),
    );
    return { stub, bodies, token: tokenFor({ directory: 1000, caller: "ids" }), connections: 16 };
  };
  await warmUp(contenders, (contender) => ({ ...run(contender, 10), seconds: warmSeconds.first }), progress);
  for (const count of ids)
    for (const contender of contenders) {
      const figures = await sample(contender, { ...run(contender, count), seconds });
      points.push({ contender: contender.name, x: count, ...figures });
      progress.say(`${count} ids  ${contender.label}: ${Math.round(figures.perSecond)}/s`);
    }
  return points;
}

/**
 * All fields of one id on the fast upstream, more and more connections.
 * @param {{ contenders: readonly import("../peers/contender.mjs").RunningContender[], stub: any,
 *   clients: readonly number[], seconds: number, warmSeconds: { first: number },
 *   progress: import("../progress.mjs").Progress }} options
 */
export async function growClients({ contenders, stub, clients, seconds, warmSeconds, progress }) {
  const points = [];
  const token = tokenFor({ directory: 1000, caller: "clients" });
  const run = ({ dialect }, connections) => ({
    stub,
    bodies: SCENARIOS.Q2.bodies(dialect),
    token,
    connections,
  });
  await warmUp(contenders, (contender) => ({ ...run(contender, 64), seconds: warmSeconds.first }), progress);
  for (const connections of clients)
    for (const contender of contenders) {
      const figures = await sample(contender, { ...run(contender, connections), seconds });
      points.push({ contender: contender.name, x: connections, ...figures });
      progress.say(`${connections} clients  ${contender.label}: ${Math.round(figures.perSecond)}/s`);
    }
  return points;
}

/**
 * Fifty random ids of an administrator, one client, an upstream that takes authentik's time.
 * @param {{ contenders: readonly import("../peers/peers.mjs").Contender[], directories: readonly number[],
 *   operations: number, speed: number, progress: import("../progress.mjs").Progress }} options
 */
export async function growDirectory({ contenders, directories, operations, speed, progress }) {
  const points = [];
  for (const contender of contenders) {
    const stub = await startTimedStub({ speed });
    const running = await startContender(contender, { upstreamUrl: stub.url });
    try {
      for (const directory of directories)
        points.push(await fiftyOf({ running, stub, directory, operations, speed }));
    } finally {
      await running.stop();
      await stub.stop();
    }
    progress.say(`directories of ${directories.join(", ")} rows  ${contender.label}`);
  }
  return points;
}

async function fiftyOf({ running, stub, directory, operations, speed }) {
  const random = createRandom(directory);
  const run = {
    token: () => tokenFor({ directory, caller: "directory" }),
    clients: 1,
    seconds: 0.001,
    body: () => operation(running.dialect, { ids: distinctIds(50, directory, random), fields: "one" }),
  };
  await clientLoad(running.url, run);
  await stub.reset();
  const latencies = [];
  for (let turn = 0; turn < operations; turn++) latencies.push((await clientLoad(running.url, run)).p50Ms);
  const counts = await stub.stats();
  return {
    contender: running.name,
    x: directory,
    p50Ms: (latencies.sort((a, b) => a - b)[Math.floor(operations / 2)] ?? Number.NaN) * speed,
    restCalls: (counts.retrieves + counts.lists) / operations,
    costMs: costMs(counts) / operations,
  };
}

/**
 * Our own workers, on all cores (which the load shares: a lower bound).
 * @param {{ stub: any, workers: readonly number[], seconds: number, warmSeconds: { first: number },
 *   progress: import("../progress.mjs").Progress }} options
 */
export async function growWorkers({ stub, workers, seconds, warmSeconds, progress }) {
  const points = [];
  for (const count of workers) {
    const contender = ours("ours", `authentik-graphql, ${count} workers`, { WORKERS: String(count) });
    const running = await startContender(contender, { upstreamUrl: stub.url, core: "both" });
    try {
      const bodies = SCENARIOS.Q2.bodies(contender.dialect);
      const run = { stub, bodies, token: tokenFor({ directory: 1000, caller: "workers" }), connections: 64 };
      await warmUp([running], () => ({ ...run, seconds: warmSeconds.first * count }), progress);
      const figures = await sample(running, { ...run, seconds });
      points.push({ contender: "ours", x: count, ...figures });
      progress.say(`${count} workers: ${Math.round(figures.perSecond)}/s`);
    } finally {
      await running.stop();
    }
  }
  return points;
}
