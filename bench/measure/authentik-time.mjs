/** Operations against an upstream that takes authentik's time: how many get done, and who waits for whom. */
import { setTimeout as sleep } from "node:timers/promises";
import { clientLoad, createClient, quantile } from "../load/clients.mjs";
import { load } from "../load/http-load.mjs";
import { createRandom, distinctIds, operation } from "../load/queries.mjs";
import { startContender } from "../peers/contender.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { costMs, startFastStub, startTimedStub } from "../stubs/stubs.mjs";

const DIRECTORY = 100;
const CLIENTS = 4;
const ONE = "/api/v3/sources/user_connections/plex/5/";

/**
 * Fifty random ids, four clients with tokens of their own: once as administrators, once as people who see 3 rows.
 * @param {{ contenders: readonly import("../peers/peers.mjs").Contender[], seconds: number, speed: number,
 *   progress: import("../progress.mjs").Progress }} options
 */
export async function measureFiftyIds({ contenders, seconds, speed, progress }) {
  const results = {};
  for (const contender of contenders) {
    const stub = await startTimedStub({ speed });
    try {
      const running = await startContender(contender, { upstreamUrl: stub.url });
      try {
        results[contender.name] = {
          administrator: await fiftyIds({ running, stub, visible: undefined, seconds, speed }),
          person: await fiftyIds({ running, stub, visible: 3, seconds, speed }),
        };
      } finally {
        await running.stop();
      }
      const { administrator, person } = results[contender.name];
      progress.say(
        `50 ids as authentik answers  ${contender.label}: ` +
          `${administrator.perSecond.toFixed(2)}/s as administrator, ${person.perSecond.toFixed(2)}/s as a person`,
      );
    } catch (error) {
      progress.say(`50 ids as authentik answers  ${contender.label}: ${error.message}`);
    } finally {
      await stub.stop();
    }
  }
  return results;
}

async function fiftyIds({ running, stub, visible, seconds, speed }) {
  const random = createRandom(3);
  const body = () => operation(running.dialect, { ids: distinctIds(50, DIRECTORY, random), fields: "one" });
  const token = (client) => tokenFor({ directory: DIRECTORY, visible, caller: `fifty-${client}` });
  // The second operation of a caller is the usual one.
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const client = createClient(running.url, token(index));
      await client.post(body());
      await client.close();
    }),
  );
  await stub.reset();
  const {
    operations,
    seconds: took,
    p50Ms,
    failed,
  } = await clientLoad(running.url, {
    token,
    clients: CLIENTS,
    seconds,
    body,
  });
  const counts = await stub.stats();
  return {
    perSecond: operations / took / speed,
    p50Ms: p50Ms * speed,
    restCalls: (counts.retrieves + counts.lists) / operations,
    costMs: costMs(counts) / operations,
    failed,
  };
}

/**
 * Single retrieves from 64 clients: how much of the upstream's throughput gets through, and how many calls are in
 * flight there, second by second.
 * @param {{ contender: import("../peers/peers.mjs").Contender, settleSeconds: number, seconds: number,
 *   progress: import("../progress.mjs").Progress }} options
 */
export async function measureSingles({ contender, settleSeconds, seconds, progress }) {
  const stub = await startTimedStub();
  const running = await startContender(contender, { upstreamUrl: stub.url });
  try {
    const straight = await load(`${stub.url}${ONE}`, {
      bodies: null,
      token: tokenFor({ directory: 1000 }),
      connections: 8,
      seconds: Math.min(seconds, 5),
    });
    const random = createRandom(11);
    const run = {
      token: (client) => tokenFor({ directory: 1000, caller: `single-${client}` }),
      clients: 64,
      body: () => operation(running.dialect, { ids: [1 + Math.floor(random() * 1000)], fields: "one" }),
    };
    await clientLoad(running.url, { ...run, seconds: settleSeconds });
    await stub.reset();
    const through = await clientLoad(running.url, { ...run, seconds });
    // The last second is cut short, and holds the clients' leaving.
    const inFlight = (await stub.stats()).medianPerSecond.slice(0, -1);
    progress.say(
      `64 clients, 2 workers  ${contender.label}: ` +
        `${(through.perSecond / straight.perSecond).toFixed(2)}x the upstream, in flight ${inFlight.join(" ")}`,
    );
    return { straightPerSecond: straight.perSecond, ...through, inFlight };
  } finally {
    await running.stop();
    await stub.stop();
  }
}

/**
 * 128 clients at an upstream that never queues and always takes 20 ms: does the number in flight grow with it?
 * @param {{ contender: import("../peers/peers.mjs").Contender, settleSeconds: number, seconds: number,
 *   progress: import("../progress.mjs").Progress }} options
 */
export async function measureUnlimited({ contender, settleSeconds, seconds, progress }) {
  const stub = await startFastStub({ say: progress.say });
  // From the start: an upstream that becomes a hundred times slower is another story.
  await stub.reset("?delay_us=20000");
  const running = await startContender(contender, { upstreamUrl: stub.url });
  try {
    const run = { token: tokenFor({ directory: 1000 }), connections: 128 };
    const straight = await load(`${stub.url}${ONE}`, { ...run, bodies: null, seconds: 2 });
    const bodies = Array.from({ length: 1000 }, (_, i) =>
      operation(running.dialect, { ids: [i + 1], fields: "one" }),
    );
    const inFlight = [];
    const through = load(running.url, { ...run, bodies, seconds: settleSeconds + seconds });
    for (let second = 0; second < settleSeconds + seconds; second++)
      inFlight.push(await medianInFlight(stub));
    const figures = await through;
    progress.say(
      `128 clients, unlimited workers, 20 ms  ${contender.label}: ` +
        `${(figures.perSecond / straight.perSecond).toFixed(2)}x the upstream, in flight ${inFlight.join(" ")}`,
    );
    return { straightPerSecond: straight.perSecond, ...figures, inFlight };
  } finally {
    await running.stop();
    await stub.stop();
  }
}

/** Looks for about a second. */
async function medianInFlight(stub) {
  const seen = [];
  for (let look = 0; look < 20; look++) {
    seen.push((await stub.stats()).inFlight);
    await sleep(49);
  }
  return quantile(seen, 0.5);
}

/**
 * One caller asks for a single id now and then; is it slower while another asks for 500?
 * @param {{ contender: import("../peers/peers.mjs").Contender, seconds: number,
 *   progress: import("../progress.mjs").Progress }} options
 */
export async function measureFairness({ contender, seconds, progress }) {
  const stub = await startTimedStub();
  const running = await startContender(contender, { upstreamUrl: stub.url });
  try {
    const random = createRandom(5);
    const small = {
      token: () => tokenFor({ directory: 10_000, caller: "small" }),
      clients: 1,
      seconds,
      pauseMs: () => 20 + 60 * random(),
      body: () => operation(running.dialect, { ids: distinctIds(1, 10_000, random), fields: "one" }),
    };
    const large = {
      token: () => tokenFor({ directory: 10_000, caller: "large" }),
      clients: 1,
      body: () => operation(running.dialect, { ids: distinctIds(500, 10_000, random), fields: "one" }),
    };
    const alone = await clientLoad(running.url, small);
    const other = clientLoad(running.url, { ...large, seconds: seconds + 1 });
    await clientLoad(running.url, { ...small, seconds: 1 });
    const beside = await clientLoad(running.url, small);
    const { operations, failed } = await other;
    progress.say(
      `fairness  ${contender.label}: p95 of one id ${alone.p95Ms.toFixed(0)} ms alone, ` +
        `${beside.p95Ms.toFixed(0)} ms beside 500 ids`,
    );
    return { alone, beside, large: { operations, failed } };
  } finally {
    await running.stop();
    await stub.stop();
  }
}
