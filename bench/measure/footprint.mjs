/** Cold start, and memory before and after load. */
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../load/clients.mjs";
import { load } from "../load/http-load.mjs";
import { withContender } from "../peers/contender.mjs";
import { ROWS, trafficOf } from "./speed.mjs";

/**
 * @param {{ contenders: readonly import("../peers/peers.mjs").Contender[], stub: import("../stubs/stubs.mjs").Stub,
 *   coldStarts: number, loadSeconds: number, say: (text: string) => void }} options
 * @returns {Promise<Record<string, { version: string, startMs: number, idleMib: number, loadedMib: number }>>}
 */
export async function measureFootprint({ contenders, stub, coldStarts, loadSeconds, say }) {
  const results = {};
  for (const contender of contenders) {
    const starts = [];
    for (let turn = 1; turn <= coldStarts; turn++)
      await withContender(contender, { upstreamUrl: stub.url, check: false }, async (running) => {
        await sleep(1000);
        const idleMib = running.residentMib();
        if (turn === coldStarts)
          for (const row of [ROWS.all, ROWS.fifty].filter(({ except }) => !except?.includes(contender.name)))
            await load(running.url, { ...trafficOf(row, contender), seconds: loadSeconds });
        starts.push({ startMs: running.startMs, idleMib, loadedMib: running.residentMib() });
      });
    results[contender.name] = {
      version: contender.version(),
      startMs: median(starts.map(({ startMs }) => startMs)),
      idleMib: median(starts.map(({ idleMib }) => idleMib)),
      loadedMib: starts[starts.length - 1].loadedMib,
    };
    say(
      `start and memory  ${contender.label}: ${JSON.stringify(results[contender.name], (_, v) => (v > 0 ? Math.round(v) : v))}`,
    );
  }
  return results;
}
