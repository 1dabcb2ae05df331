/** Starts the two stand-ins for authentik on the loading core, and reads their counters. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { request } from "undici";
import { onPath, start } from "../load/processes.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const cache = here("../.cache");

/** What authentik spends, in milliseconds of one worker, as measured on real servers. */
export const COST = { retrieveMs: 33, listBaseMs: 30, listRowMs: 2.6 };

/** @param {{ retrieves: number, lists: number, rows: number }} counts @returns {number} milliseconds of a worker */
export function costMs({ retrieves, lists, rows }) {
  return retrieves * COST.retrieveMs + lists * COST.listBaseMs + rows * COST.listRowMs;
}

/** @returns {string | null} the compiled fast stub, null without a C compiler or off Linux */
function compiled() {
  const compiler = ["cc", "gcc", "clang"].find(onPath);
  if (!compiler || process.platform !== "linux") return null;
  const source = here("fast-stub.c");
  const program = `${cache}/fast-stub`;
  if (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(cache, { recursive: true });
    execFileSync(compiler, ["-O2", "-o", program, source]);
  }
  return program;
}

/** @returns {Promise<any>} */
async function control(url, path) {
  const { body } = await request(`${url}/__stub/${path}`);
  return body.json();
}

function handle({ line, stop }) {
  return {
    /** @type {string} */
    url: line.url,
    stats: () => control(line.url, "stats"),
    /** @param {string} [query] @returns the counters until now */
    reset: (query = "") => control(line.url, `reset${query}`),
    stop,
  };
}

/**
 * The fast stub: as quick as one core can.
 * @param {{ say: (text: string) => void }} options
 */
export async function startFastStub({ say }) {
  const program = compiled();
  if (!program) {
    say(
      "no C compiler: the fast stub runs in Node, so the fastest rows show the stub's speed, not the server's",
    );
    const free = ["--workers", "0", "--retrieve-ms", "0", "--list-base-ms", "0", "--list-row-ms", "0"];
    return {
      ...handle(
        await start([process.execPath, here("timed-stub.mjs"), ...free], { core: "load", firstLine: true }),
      ),
      native: false,
    };
  }
  return { ...handle(await start([program], { core: "load", firstLine: true })), native: true };
}

/**
 * The stub that takes authentik's time.
 * @param {{ workers?: number, retrieveMs?: number, speed?: number, maxPageSize?: number }} [options]
 */
export async function startTimedStub({
  workers = 2,
  retrieveMs = COST.retrieveMs,
  speed = 1,
  maxPageSize = 0,
} = {}) {
  const settings = {
    workers,
    "retrieve-ms": retrieveMs,
    "list-base-ms": COST.listBaseMs,
    "list-row-ms": COST.listRowMs,
    speed,
    "max-page-size": maxPageSize,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return handle(
    await start([process.execPath, here("timed-stub.mjs"), ...args], { core: "load", firstLine: true }),
  );
}
