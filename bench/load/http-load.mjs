/** Load over HTTP from the loading core: wrk where it is installed, else autocannon. */
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onPath, pinned } from "./processes.mjs";

const run = promisify(execFile);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const bodiesFile = join(mkdtempSync(join(tmpdir(), "authentik-graphql-load-")), "bodies");

/** The tool in use. @type {"wrk" | "autocannon"} */
export const tool = onPath("wrk") ? "wrk" : "autocannon";

/**
 * @typedef {{ operations: number, seconds: number, perSecond: number, p50Ms: number, p99Ms: number, failed: number }} Load
 * `failed`: no answer, or a status other than 2xx
 */

/**
 * Keeps `connections` connections busy for `seconds`.
 * @param {string} url
 * @param {{ bodies: readonly string[] | null, token: string, connections: number, seconds: number }} options
 *   `bodies`: JSON texts to POST in turn; null: GET
 * @returns {Promise<Load>}
 */
export async function load(url, { bodies, token, connections, seconds }) {
  if (bodies) writeFileSync(bodiesFile, `${bodies.join("\n")}\n`);
  const command =
    tool === "wrk"
      ? ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s", "-s"].concat(
          here(bodies ? "wrk.lua" : "wrk-get.lua"),
          url,
        )
      : [process.execPath, here("autocannon-run.mjs")];
  const [program, ...args] = pinned(command, "load");
  const { stdout } = await run(program, args, {
    env: {
      ...process.env,
      BENCH_BODIES: bodiesFile,
      BENCH_TOKEN: token,
      BENCH_RUN: JSON.stringify({ url, bodiesFile: bodies ? bodiesFile : null, token, connections, seconds }),
    },
    maxBuffer: 1 << 24,
  });
  const figures = JSON.parse(/BENCH (.*)/.exec(stdout)?.[1] ?? "null");
  if (!figures) throw new Error(`${tool} gave no figures: ${stdout.slice(-500)}`);
  const took = figures.durationUs / 1e6;
  return {
    operations: figures.requests,
    seconds: took,
    perSecond: figures.requests / took,
    p50Ms: figures.p50Us / 1000,
    p99Ms: figures.p99Us / 1000,
    failed: figures.failed,
  };
}
