/** What operations cost authentik, over ids asked for, rows in the directory and rows the caller may see. */
import { createClient } from "../load/clients.mjs";
import { createRandom, distinctIds, operation } from "../load/queries.mjs";
import { startContender } from "../peers/contender.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { COST, costMs, startTimedStub } from "../stubs/stubs.mjs";

const PAGE_ROWS = 100;
const FEW = 3;

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
 * @param {{ contender: import("../peers/peers.mjs").Contender, ids: readonly number[], directories: readonly number[],
 *   speed: number, progress: import("../progress.mjs").Progress }} options
 * @returns {Promise<{ ids: number, directory: number, sees: "few" | "all", operation: 1 | 2, costMs: number,
 *   hindsightMs: number, failed: boolean }[]>}
 */
export async function measureAuthentikCost({ contender, ids, directories, speed, progress }) {
  const stub = await startTimedStub({ speed });
  const running = await startContender(contender, { upstreamUrl: stub.url });
  const cells = [];
  try {
    for (const directory of directories)
      for (const sees of ["few", "all"])
        for (const count of ids)
          cells.push(...(await twoOperations({ running, stub, directory, sees, count })));
    progress.say(`cost to authentik  ${contender.label}: ${cells.length} operations`);
  } finally {
    await running.stop();
    await stub.stop();
  }
  return cells;
}

async function twoOperations({ running, stub, directory, sees, count }) {
  const visible = sees === "few" ? Math.min(FEW, directory) : directory;
  const token = tokenFor({ directory, visible, caller: `grid-${count}` });
  const client = createClient(running.url, token);
  const random = createRandom(directory * 1000 + count);
  const cells = [];
  for (const turn of [1, 2]) {
    const body = operation(running.dialect, { ids: idsFor(count, directory, random), fields: "one" });
    await stub.reset();
    const { status, json } = await client.post(body);
    cells.push({
      ids: count,
      directory,
      sees,
      operation: turn,
      costMs: costMs(await stub.stats()),
      hindsightMs: hindsightMs(count, visible),
      failed: status !== 200 || json.errors !== undefined,
    });
  }
  await client.close();
  return cells;
}
