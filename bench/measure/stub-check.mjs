/** The stub that takes authentik's time, beside what real servers were measured to take. */
import { readFileSync } from "node:fs";
import { Pool } from "undici";
import { median } from "../load/clients.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { startTimedStub } from "../stubs/stubs.mjs";

const PATH = "/api/v3/sources/user_connections/plex/";
const headers = { authorization: `Bearer ${tokenFor({ directory: 1000 })}` };
const recorded = JSON.parse(readFileSync(new URL("../data/recorded-timings.json", import.meta.url), "utf8"));
const RELEASES = ["2024.8.1", "2025.8.1"];

/** @returns {Promise<{ what: string, stub: number, recorded: Record<string, number> }[]>} */
export async function checkStub() {
  const stub = await startTimedStub();
  const rows = [];
  const note = (what, value, pick) =>
    rows.push({
      what,
      stub: value,
      recorded: Object.fromEntries(RELEASES.map((release) => [release, pick(recorded[release])])),
    });
  const times = async (path) => (await straight(stub.url + path, { connections: 1, requests: 5 })).p50Ms;
  try {
    note("a retrieve, ms", await times(`${PATH}5/`), ({ retrieve }) => retrieve);
    for (const count of [1, 20, 100, 200])
      note(
        `a list of ${count} rows, ms`,
        await times(`${PATH}?page_size=${count}`),
        ({ lists }) => lists[count],
      );
    for (const connections of [1, 8, 64]) {
      const { perSecond } = await straight(`${stub.url}${PATH}5/`, { connections, requests: 100 });
      note(
        `retrieves a second, ${connections} in flight`,
        perSecond,
        (one) => one.retrievesPerSecond[connections],
      );
    }
  } finally {
    await stub.stop();
  }
  return rows;
}

async function straight(url, { connections, requests }) {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, { connections });
  const tookMs = [];
  const beganMs = performance.now();
  const one = async () => {
    for (let left = requests / connections; left > 0; left--) {
      const askedMs = performance.now();
      await (await pool.request({ method: "GET", path: pathname + search, headers })).body.dump();
      tookMs.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  const perSecond = (tookMs.length * 1000) / (performance.now() - beganMs);
  await pool.close();
  return { perSecond, p50Ms: median(tookMs) };
}
