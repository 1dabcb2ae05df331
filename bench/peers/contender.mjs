/** A contender that runs: started, proven to answer rightly, and watched. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../load/clients.mjs";
import { cpuSeconds, freePort, residentMib, start } from "../load/processes.mjs";
import { operation, sourceField, toSnake } from "../load/queries.mjs";
import { connectionRow, tokenFor } from "../stubs/directory.mjs";

const START_LIMIT_MS = 120_000;
const AUTHORIZATION = `Bearer ${tokenFor({ directory: 1000, caller: "start" })}`;

/**
 * @typedef {import("./peers.mjs").Contender & {
 *   url: string, startMs: number, cpuSeconds: () => number, residentMib: () => number, stop: () => Promise<void>
 * }} RunningContender `startMs`: from the start of the process to its first right answer
 */

/**
 * @param {import("./peers.mjs").Contender} contender
 * @param {{ upstreamUrl: string, check?: boolean }} options
 *   `check`: whether its answers are checked, beyond the first
 * @returns {Promise<RunningContender>}
 * @throws when it ends, does not answer in time, or answers wrongly
 */
export async function startContender(contender, { upstreamUrl, check = true }) {
  const port = await freePort();
  const { command, env, cwd } = contender.launch({ upstreamUrl, port });
  const url = `http://127.0.0.1:${port}/graphql`;
  const beganMs = performance.now();
  const running = await start(command, { core: "server", env, cwd });
  try {
    await firstAnswer(url, contender, running);
    const startMs = performance.now() - beganMs;
    if (check) await checkAnswers(url, contender);
    return {
      ...contender,
      url,
      startMs,
      cpuSeconds: () => cpuSeconds(running.pid),
      residentMib: () => residentMib(running.pid),
      stop: running.stop,
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/**
 * Runs `measure` with a contender started for it, and stops it.
 * @template T
 * @param {import("./peers.mjs").Contender} contender
 * @param {{ upstreamUrl: string, check?: boolean }} options
 * @param {(running: RunningContender) => Promise<T>} measure
 */
export async function withContender(contender, options, measure) {
  const running = await startContender(contender, options);
  try {
    return await measure(running);
  } finally {
    await running.stop();
  }
}

async function firstAnswer(url, contender, running) {
  const body = operation(contender.dialect, { ids: [5], fields: "one" });
  const limitMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const client = createClient(url);
    try {
      const { status } = await client.post({ authorization: AUTHORIZATION, body });
      if (status === 200) return;
    } catch {
      // not listening yet
    } finally {
      await client.close();
    }
    if (running.exited() !== null) throw new Error(`it ended: ${running.exited()}`);
    if (performance.now() > limitMs) throw new Error("no answer within 120 s");
    await sleep(4);
  }
}

/** All fields of one connection, and fifty in their order. */
async function checkAnswers(url, contender) {
  const client = createClient(url);
  const ask = (asked) =>
    client.post({ authorization: AUTHORIZATION, body: operation(contender.dialect, asked) });
  try {
    const all = await ask({ ids: [5], fields: "all" });
    const found = contender.bare ? all.json.data : all.json.data?.[contender.dialect.rootField];
    if (!found) throw new Error(`no answer: ${JSON.stringify(all.json).slice(0, 300)}`);
    compare(found, connectionRow(5), contender);
    if (contender.bare) return;
    const fifty = Array.from({ length: 50 }, (_, i) => ((i * 37) % 1000) + 1);
    const many = await ask({ ids: fifty, fields: "one" });
    const identifiers = Object.values(many.json.data ?? {}).map((row) => row?.identifier);
    const expected = fifty.map((id) => connectionRow(id).identifier);
    if (String(identifiers) !== String(expected))
      throw new Error(`wrong answer to 50 ids: ${JSON.stringify(many.json).slice(0, 300)}`);
  } finally {
    await client.close();
  }
}

/** Every value of the row must be in the answer, whatever the graph calls it; enums may be in upper case. */
function compare(found, row, { dialect, bare }) {
  const { source_obj: source, source: _, ...connection } = row;
  const foundSource = found?.[bare ? "source_obj" : sourceField(dialect)];
  for (const [expected, actual] of [
    [connection, found],
    [source, foundSource],
  ])
    for (const [name, value] of Object.entries(expected)) {
      const given = Object.entries(actual ?? {}).find(([key]) => toSnake(key) === name)?.[1];
      if (plain(given) !== plain(value))
        throw new Error(`wrong answer: ${name} is ${JSON.stringify(given)}, not ${JSON.stringify(value)}`);
    }
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Enums compare without case, moments without the digits after the milliseconds. */
function plain(value) {
  if (typeof value === "string" && DATE_TIME.test(value)) return new Date(value).toISOString();
  return JSON.stringify(value ?? null).toLowerCase();
}
