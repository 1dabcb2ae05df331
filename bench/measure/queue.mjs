/** Who waits for whom: one caller beside others, and how many calls are in flight. */
import { setTimeout as sleep } from "node:timers/promises";
import { clientLoad, endlessLoad, median, steadyLoad } from "../load/clients.mjs";
import { load } from "../load/http-load.mjs";
import { createRandom, randomOperation } from "../load/queries.mjs";
import { withContender } from "../peers/contender.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { COST, startFastStub, startTimedStub } from "../stubs/stubs.mjs";
import { ROWS, trafficOf } from "./speed.mjs";

const ROWS_THERE = 10_000;
const random = createRandom(5);
const tokenOf = (caller) => tokenFor({ directory: ROWS_THERE, caller });
const madeUp = (turn) => `Bearer made-up-${turn}`;

/** The n-th of the 64 ways to write "bearer". @param {number} turn */
function spelled(turn) {
  return ["b", "e", "a", "r", "e", "r"]
    .map((letter, i) => ((turn >> i) & 1 ? letter.toUpperCase() : letter))
    .join("");
}

/** @param {import("../load/queries.mjs").Dialect} dialect @param {number} count */
const ids = (dialect, count) => randomOperation(dialect, { count, directory: ROWS_THERE, random });

/** An upstream of unlimited workers that takes 30 ms for everything, and an asker of 50 ids. */
const UNLIMITED = { upstreamMs: 30, count: 50 };
/** Two workers that take authentik's time, and an asker of one id. */
const TWO_WORKERS = { upstreamMs: 0, count: 1, pauseMs: () => 20 + 60 * random() };

/**
 * What one caller asks, alone and beside others, who are started by `others`.
 * @type {Record<string, { title: string, upstreamMs: number, count: number, pauseMs?: () => number,
 *   others: (url: string, dialect: import("../load/queries.mjs").Dialect) => { stop: () => Promise<any> } }>}
 */
export const NEIGHBOURS = {
  readers: {
    ...UNLIMITED,
    title: "50 ids of 10,000, 30 ms, beside 20 single reads a second of 300 callers",
    others: (url, dialect) =>
      steadyLoad(url, {
        perSecond: 20,
        ask: (turn) => ({
          authorization: `Bearer ${tokenOf(`reader-${turn % 300}`)}`,
          body: ids(dialect, 1),
        }),
      }),
  },
  invalid: {
    ...UNLIMITED,
    title: "50 ids of 10,000, 30 ms, beside 30 a second with invalid tokens",
    others: (url, dialect) =>
      steadyLoad(url, {
        perSecond: 30,
        ask: (turn) => ({ authorization: madeUp(turn), body: ids(dialect, 1) }),
      }),
  },
  spelled: {
    ...TWO_WORKERS,
    title: "one id, two workers, beside one token spelled 64 ways",
    others: (url, dialect) =>
      endlessLoad(url, {
        clients: 64,
        ask: (_turn, client) => ({
          authorization: `${spelled(client)} ${tokenOf("spelled")}`,
          body: ids(dialect, 1),
        }),
      }),
  },
  madeUp: {
    ...TWO_WORKERS,
    title: "one id, two workers, beside 64 made-up tokens",
    others: (url, dialect) =>
      endlessLoad(url, {
        clients: 64,
        ask: (_turn, client) => ({ authorization: madeUp(client), body: ids(dialect, 1) }),
      }),
  },
  fiveHundred: {
    ...TWO_WORKERS,
    title: "one id, two workers, beside another caller's 500",
    others: (url, dialect) =>
      endlessLoad(url, {
        clients: 1,
        ask: () => ({ authorization: `Bearer ${tokenOf("large")}`, body: ids(dialect, 500) }),
      }),
  },
};

/**
 * @param {{ contender: import("../peers/peers.mjs").Contender, rounds: number, seconds: number, say: (text: string) => void }} options
 * @returns {Promise<Record<string, { alone: any, beside: any, others: { operations: number, failed: number } }>>} by the others
 */
export async function measureNeighbours({ contender, rounds, seconds, say }) {
  const results = {};
  for (const [name, { title, upstreamMs, count, pauseMs, others }] of Object.entries(NEIGHBOURS)) {
    const stub = await (upstreamMs ? startFastStub() : startTimedStub());
    await stub.reset(`?delay_us=${upstreamMs * 1000}`);
    try {
      await withContender(contender, { upstreamUrl: stub.url }, async ({ url, dialect }) => {
        const ask = () => ({ authorization: `Bearer ${tokenOf("asker")}`, body: ids(dialect, count) });
        const asker = { clients: 1, seconds, ask, pauseMs };
        await clientLoad(url, { ...asker, seconds: 1 });
        const taken = [];
        for (let round = 0; round < rounds; round++) {
          const alone = await clientLoad(url, asker);
          const crowd = others(url, dialect);
          await clientLoad(url, { ...asker, seconds: 1 });
          const beside = await clientLoad(url, asker);
          taken.push({ alone, beside, others: await crowd.stop() });
        }
        const { alone, beside, others: crowd } = (results[name] = middleOf(taken));
        say(
          `${title}: p50 ${alone.p50Ms.toFixed(0)} → ${beside.p50Ms.toFixed(0)} ms, ` +
            `p95 ${alone.p95Ms.toFixed(0)} → ${beside.p95Ms.toFixed(0)} ms; ${crowd.operations} others, ${crowd.failed} failed`,
        );
      });
    } finally {
      await stub.stop();
    }
  }
  return results;
}

/** @param {readonly Record<string, Record<string, number>>[]} taken */
function middleOf(taken) {
  const middle = (who) =>
    Object.fromEntries(
      Object.keys(taken[0][who]).map((name) => [name, median(taken.map((one) => one[who][name]))]),
    );
  return { alone: middle("alone"), beside: middle("beside"), others: middle("others") };
}

/** In flight at the stub, looked at every 50 ms for so many seconds. */
async function inFlightDuring(stub, seconds) {
  const seen = [];
  const beganMs = performance.now();
  for (let ms = 0; ms < seconds * 1000; ms = performance.now() - beganMs) {
    seen.push({ ms, inFlight: (await stub.stats()).inFlight });
    await sleep(50);
  }
  return seen;
}

/**
 * 64 callers who retrieve one id after another, two workers: how much of what those can do gets through, and how many
 * calls are in flight there once it has settled.
 * @param {{ contender: import("../peers/peers.mjs").Contender, settleSeconds: number, seconds: number,
 *   say: (text: string) => void }} options
 */
export async function measureSingles({ contender, settleSeconds, seconds, say }) {
  const stub = await startTimedStub();
  try {
    return await withContender(contender, { upstreamUrl: stub.url }, async ({ url, dialect }) => {
      const ask = (_turn, client) => ({ authorization: `Bearer ${tokenOf(client)}`, body: ids(dialect, 1) });
      await clientLoad(url, { clients: 64, seconds: settleSeconds, ask });
      const [figures, seen] = await Promise.all([
        clientLoad(url, { clients: 64, seconds, ask }),
        inFlightDuring(stub, seconds),
      ]);
      const counts = seen.map(({ inFlight }) => inFlight);
      const best = 2000 / COST.retrieveMs;
      say(
        `64 singles, two workers: ${figures.perSecond.toFixed(1)}/s of ${best.toFixed(1)}, in flight ${median(counts)}`,
      );
      return { ...figures, best, inFlight: { p50: median(counts), max: Math.max(...counts) } };
    });
  } finally {
    await stub.stop();
  }
}

/**
 * 128 clients of 200 callers at an upstream that never queues and always takes 20 ms: when are more than 60 in flight?
 * @param {{ contender: import("../peers/peers.mjs").Contender, seconds: number, say: (text: string) => void }} options
 */
export async function measureUnlimited({ contender, seconds, say }) {
  const stub = await startFastStub();
  // From the start: an upstream that becomes a hundred times slower is another story.
  await stub.reset("?delay_us=20000");
  try {
    return await withContender(contender, { upstreamUrl: stub.url }, async (running) => {
      const traffic = { ...trafficOf(ROWS.one, running), connections: 128, seconds };
      const [figures, seen] = await Promise.all([load(running.url, traffic), inFlightDuring(stub, seconds)]);
      const pastMs = seen.find(({ inFlight }) => inFlight > 60)?.ms ?? Infinity;
      const settled = median(seen.slice(seen.length / 2).map(({ inFlight }) => inFlight));
      say(
        `128 clients, unlimited workers: past 60 in flight after ${(pastMs / 1000).toFixed(1)} s, settled at ${settled}`,
      );
      return { ...figures, pastSeconds: Number.isFinite(pastMs) ? pastMs / 1000 : null, settled };
    });
  } finally {
    await stub.stop();
  }
}
