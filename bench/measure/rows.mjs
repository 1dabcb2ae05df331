/** What an operation costs authentik and how long it takes, by the rows that there are. */
import { createClient, median } from "../load/clients.mjs";
import { createRandom, distinctIds, operation, randomOperation } from "../load/queries.mjs";
import { startContender, withContender } from "../peers/contender.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { COST, startTimedStub } from "../stubs/stubs.mjs";

const PAGE_ROWS = 100;
const FEW = 3;

/**
 * Fifty random ids, one client: everyone in turn, each with a stub of his own so that nobody waits for another.
 * @param {{ contenders: readonly import("../peers/peers.mjs").Contender[], directories: readonly number[],
 *   operations: number, say: (text: string) => void }} options
 */
export async function measureFiftyByRows({ contenders, directories, operations, say }) {
  const points = [];
  const stops = [];
  const running = [];
  try {
    for (const contender of contenders) {
      const stub = await startTimedStub();
      stops.push(stub.stop);
      const one = await startContender(contender, { upstreamUrl: stub.url });
      const client = createClient(one.url);
      stops.push(one.stop, client.close);
      running.push({ ...one, stub, client });
    }
    for (const directory of directories) {
      const found = await fiftyOf(running, { directory, operations });
      points.push(...found);
      const times = found.map(({ contender, p50Ms }) => `${contender} ${Math.round(p50Ms)} ms`).join(", ");
      say(`50 ids of ${directory} rows: ${times}`);
    }
    return points;
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function fiftyOf(running, { directory, operations }) {
  const asked = running.map((one) => ({ ...one, random: createRandom(directory), tookMs: [], failed: 0 }));
  // The first of a caller, who is a stranger until then, is not counted.
  for (let turn = 0; turn <= operations; turn++)
    for (const one of asked) {
      if (turn === 1) await one.stub.reset();
      const answer = await one.client.post({
        authorization: `Bearer ${tokenFor({ directory, caller: "rows" })}`,
        body: randomOperation(one.dialect, { count: 50, directory, random: one.random }),
      });
      if (turn > 0) one.tookMs.push(answer.tookMs);
      if (answer.failed) one.failed++;
    }
  return Promise.all(
    asked.map(async ({ name, stub, tookMs, failed }) => {
      const { calls, costMs } = await stub.stats();
      const [restCalls, cost] = [calls, costMs].map((sum) => sum / operations);
      return { contender: name, x: directory, p50Ms: median(tookMs), restCalls, costMs: cost, failed };
    }),
  );
}

/** Ids that exist as far as there are any, then ids that do not. */
function idsFor(count, directory, random) {
  const existing = distinctIds(count, directory, random);
  return [...existing, ...Array.from({ length: count - existing.length }, (_, i) => directory + 1 + i)];
}

/** The cheaper of both ways, knowing the number of rows beforehand. */
function hindsightMs(ids, rows) {
  const pages = Math.max(1, Math.ceil(rows / PAGE_ROWS));
  return Math.min(ids * COST.retrieveMs, pages * COST.listBaseMs + rows * COST.listRowMs);
}

/**
 * What the second operation of a caller costs, over ids asked for, rows in the directory and rows the caller may see.
 * @param {{ contender: import("../peers/peers.mjs").Contender, ids: readonly number[], directories: readonly number[],
 *   speed: number, say: (text: string) => void }} options
 * @returns {Promise<{ ids: number, directory: number, sees: "few" | "all", costMs: number, hindsightMs: number,
 *   failed: boolean }[]>}
 */
export async function measureCostGrid({ contender, ids, directories, speed, say }) {
  const stub = await startTimedStub({ speed });
  try {
    return await withContender(contender, { upstreamUrl: stub.url }, async (running) => {
      const cells = [];
      const client = createClient(running.url);
      for (const directory of directories)
        for (const sees of ["few", "all"])
          for (const count of ids) {
            const visible = sees === "few" ? FEW : directory;
            const authorization = `Bearer ${tokenFor({ directory, visible, caller: `grid-${count}` })}`;
            const random = createRandom(directory * 1000 + count);
            let failed = false;
            for (let turn = 1; turn <= 2; turn++) {
              await stub.reset();
              const body = operation(running.dialect, {
                ids: idsFor(count, directory, random),
                fields: "one",
              });
              const answer = await client.post({ authorization, body });
              if (answer.failed)
                say(
                  `${count} ids of ${directory} rows failed: ${answer.status} ${JSON.stringify(answer.json.errors?.[0])}`,
                );
              failed ||= answer.failed;
            }
            const { costMs } = await stub.stats();
            cells.push({
              ids: count,
              directory,
              sees,
              costMs,
              hindsightMs: hindsightMs(count, visible),
              failed,
            });
          }
      await client.close();
      say(`cost to authentik: ${cells.length} operations`);
      return cells;
    });
  } finally {
    await stub.stop();
  }
}
