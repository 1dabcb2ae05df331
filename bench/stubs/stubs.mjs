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

async function handle(command) {
  const { line, stop } = await start(command, { core: "load", firstLine: true });
  const control = async (path) => {
    const { body } = await request(`${line.url}/__stub/${path}`);
    return /** @type {Promise<any>} */ (body.json());
  };
  return {
    /** @type {string} */
    url: line.url,
    stats: () => control("stats"),
    /** @param {string} [query] @returns the counters until now */
    reset: (query = "") => control(`reset${query}`),
    stop,
  };
}

/** @typedef {Awaited<ReturnType<typeof handle>>} Stub */

/** Whether the fast stub is as quick as one core can. */
export const nativeStub = compiled() !== null;

/** The fast stub; in Node where there is no C compiler, so that the fastest rows show its speed. */
export function startFastStub() {
  const program = compiled();
  const free = ["--workers", "0", "--retrieve-ms", "0", "--list-base-ms", "0", "--list-row-ms", "0"];
  return handle(program ? [program] : [process.execPath, here("timed-stub.mjs"), ...free]);
}

/**
 * The stub that takes authentik's time, with two workers.
 * @param {{ speed?: number }} [options]
 */
export function startTimedStub({ speed = 1 } = {}) {
  const cost = [
    "--retrieve-ms",
    COST.retrieveMs,
    "--list-base-ms",
    COST.listBaseMs,
    "--list-row-ms",
    COST.listRowMs,
  ];
  return handle([process.execPath, here("timed-stub.mjs"), "--speed", speed, ...cost].map(String));
}
