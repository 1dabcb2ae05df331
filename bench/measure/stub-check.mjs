/** The stub that takes authentik's time, beside what real servers were measured to take. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { request } from "undici";
import { quantile } from "../load/clients.mjs";
import { load } from "../load/http-load.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { startTimedStub } from "../stubs/stubs.mjs";

const PATH = "/api/v3/sources/user_connections/plex/";
const recorded = JSON.parse(readFileSync(new URL("../data/recorded-timings.json", import.meta.url), "utf8"));

/**
 * @param {{ progress: import("../progress.mjs").Progress }} options
 * @returns {Promise<{ what: string, unit: string, stub: number, recorded: Record<string, number> }[]>}
 */
export async function checkStub({ progress }) {
  const stub = await startTimedStub();
  const rows = [];
  const note = (what, unit, value, pick) =>
    rows.push({
      what,
      unit,
      stub: value,
      recorded: Object.fromEntries(
        ["2024.8.1", "2025.8.1"].map((release) => [release, pick(recorded[release])]),
      ),
    });
  try {
    note("a retrieve", "ms", await medianMs(`${stub.url}${PATH}5/`), ({ retrieve }) => retrieve);
    for (const count of [1, 10, 20, 50, 100, 200]) {
      const took = await medianMs(`${stub.url}${PATH}?ordering=pk&page_size=${count}`);
      note(`a list of ${count} rows`, "ms", took, ({ lists }) => lists[count]);
    }
    for (const connections of [1, 4, 8, 64]) {
      const token = tokenFor({ directory: 1000 });
      const run = { bodies: null, token, connections, seconds: 2 };
      const { perSecond } = await load(`${stub.url}${PATH}5/`, run);
      note(
        `retrieves, ${connections} in flight`,
        "a second",
        perSecond,
        (one) => one.retrievesPerSecond[connections],
      );
    }
  } finally {
    await stub.stop();
  }
  progress.say("the stub beside real servers measured");
  return rows;
}

async function medianMs(url) {
  const headers = { authorization: `Bearer ${tokenFor({ directory: 1000 })}` };
  const took = [];
  for (let turn = 0; turn < 5; turn++) {
    const beganMs = performance.now();
    const { body } = await request(url, { headers });
    await body.arrayBuffer();
    took.push(performance.now() - beganMs);
  }
  return quantile(took, 0.5);
}
