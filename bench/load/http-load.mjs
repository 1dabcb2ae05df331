/** Load from the loading core, as real traffic is: wrk where it is installed, else clients of our own, which are slower. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { clientLoad } from "./clients.mjs";
import { busySeconds, onPath, pinned } from "./processes.mjs";

const script = fileURLToPath(new URL("wrk.lua", import.meta.url));
const bodiesFile = join(mkdtempSync(join(tmpdir(), "authentik-graphql-load-")), "bodies");

/** The tool in use. @type {"wrk" | "undici"} */
export const tool = onPath("wrk") ? "wrk" : "undici";

/**
 * What is sent: bodies in turn from callers in turn, whose tokens are `token` and a number; every request has an
 * `X-Request-Id` and a `traceparent` of its own. `header`: one more, such as `Accept: …`.
 * @typedef {{ bodies: readonly string[], token: string, callers: number, connections: number, seconds: number, header?: string }} Traffic
 * @typedef {{ operations: number, seconds: number, perSecond: number, p50Ms: number, p99Ms: number, failed: number,
 *   loadCoreBusy: number }} Load `failed`: no answer, or a wrong one; `loadCoreBusy`: share of the time, near 1 when the
 *   load, not the server, was what could not do more
 */

/**
 * Keeps `connections` connections busy for `seconds`.
 * @param {string} url
 * @param {Traffic} traffic
 * @returns {Promise<Load>}
 */
export async function load(url, traffic) {
  const [busyBefore, beganMs] = [busySeconds("load"), performance.now()];
  const figures = await (tool === "wrk" ? wrkLoad(url, traffic) : ownLoad(url, traffic));
  const took = (performance.now() - beganMs) / 1000;
  return {
    ...figures,
    perSecond: figures.operations / figures.seconds,
    loadCoreBusy: (busySeconds("load") - busyBefore) / took,
  };
}

async function wrkLoad(url, { bodies, token, callers, connections, seconds, header = "" }) {
  writeFileSync(bodiesFile, `${bodies.join("\n")}\n`);
  const command = ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s", "-s", script, url];
  const [program, ...args] = pinned(command, "load");
  const { stdout } = await promisify(execFile)(program, args, {
    env: {
      ...process.env,
      BENCH_BODIES: bodiesFile,
      BENCH_TOKEN: token,
      BENCH_CALLERS: String(callers),
      BENCH_HEADER: header,
      BENCH_RUN: randomBytes(8).toString("hex"),
    },
    maxBuffer: 1 << 24,
  });
  const figures = JSON.parse(/BENCH (.*)/.exec(stdout)?.[1] ?? "null");
  if (!figures) throw new Error(`wrk gave no figures: ${stdout.slice(-500)}`);
  return figures;
}

function ownLoad(url, { bodies, token, callers, connections, seconds, header }) {
  const headers = Object.fromEntries(header ? [header.split(/: */)] : []);
  return clientLoad(url, {
    clients: connections,
    seconds,
    ask: (turn) => ({
      authorization: `Bearer ${token}${(turn + Math.floor(turn / bodies.length)) % callers}`,
      body: bodies[turn % bodies.length],
      headers,
    }),
  });
}
