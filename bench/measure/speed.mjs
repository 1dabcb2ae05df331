/** What each contender can do itself on one core, in front of a fast upstream and with the traffic that people send. */
import { createRandom, operation, randomOperation } from "../load/queries.mjs";
import { startContender } from "../peers/contender.mjs";
import { ours } from "../peers/peers.mjs";
import { tokenFor } from "../stubs/directory.mjs";
import { startFastStub } from "../stubs/stubs.mjs";
import { inTurns, sample } from "./sample.mjs";

const CONNECTIONS = 64;
const CALLERS = 200;

/** @param {"one" | "all"} fields */
const cycling = (fields) => (dialect) =>
  Array.from({ length: 1000 }, (_, i) => operation(dialect, { ids: [i + 1], fields }));

/** @param {import("../load/queries.mjs").Dialect} dialect */
function randomFifties(dialect) {
  const random = createRandom(7);
  return Array.from({ length: 400 }, () => randomOperation(dialect, { count: 50, directory: 100, random }));
}

/**
 * `longer`: rounds last so many times longer, for operations that take a second; `except`: who takes minutes for one
 * @type {Record<string, { title: string, directory: number, callers: number,
 *   bodies: (dialect: import("../load/queries.mjs").Dialect) => string[], longer?: number, except?: string[] }>}
 */
export const ROWS = {
  one: { title: "one field, 200 callers", directory: 1000, callers: CALLERS, bodies: cycling("one") },
  single: { title: "one field, one caller", directory: 1000, callers: 1, bodies: cycling("one") },
  all: { title: "all fields, 200 callers", directory: 1000, callers: CALLERS, bodies: cycling("all") },
  same: {
    title: "same operation, one caller",
    directory: 1000,
    callers: 1,
    bodies: (dialect) => [operation(dialect, { ids: [5], fields: "one" })],
  },
  fifty: {
    title: "50 of 100 ids, 200 callers",
    directory: 100,
    callers: CALLERS,
    bodies: randomFifties,
    longer: 3,
    except: ["hive"],
  },
};

/** @param {typeof ROWS[string]} row @param {import("../peers/peers.mjs").Contender} contender */
export function trafficOf({ directory, callers, bodies }, { dialect }) {
  return {
    bodies: bodies(dialect),
    token: tokenFor({ directory, caller: "" }),
    callers,
    connections: CONNECTIONS,
  };
}

/**
 * @param {{ contenders: readonly import("../peers/contender.mjs").RunningContender[], stub: import("../stubs/stubs.mjs").Stub,
 *   rounds: number, seconds: number, warmSeconds: { first: number, next: number }, say: (text: string) => void }} options
 * @returns {Promise<Record<string, Record<string, import("./sample.mjs").Samples>>>} by row and contender
 */
export async function measureSpeed({ contenders, stub, rounds, seconds, warmSeconds, say }) {
  const results = {};
  for (const [name, row] of Object.entries(ROWS)) {
    const runs = contenders
      .filter((contender) => !row.except?.includes(contender.name))
      .map((contender) => {
        const run = { stub, ...trafficOf(row, contender) };
        const warm = name === "one" ? warmSeconds.first : warmSeconds.next;
        return {
          ...contender,
          warmUp: () => sample(contender, { ...run, seconds: warm }),
          take: () => sample(contender, { ...run, seconds: seconds * (row.longer ?? 1) }),
        };
      });
    results[name] = await inTurns(runs, { what: row.title, rounds, say });
  }
  return results;
}

/** The same traffic while the upstream sends a length, and while it sends chunks. */
export async function measureChunks({ contenders, stub, rounds, seconds, warmSeconds, say }) {
  const runs = contenders.flatMap((contender) => {
    const run = { stub, ...trafficOf(ROWS.one, contender) };
    return [0, 1].map((chunked) => ({
      name: `${contender.name}${chunked ? " chunks" : " length"}`,
      label: `${contender.label}${chunked ? ", chunks" : ""}`,
      warmUp: () => sample(contender, { ...run, seconds: warmSeconds.next }),
      async take() {
        await stub.reset(`?chunked=${chunked}`);
        return sample(contender, { ...run, seconds });
      },
    }));
  });
  const results = await inTurns(runs, { what: "chunks", rounds, say });
  await stub.reset("?chunked=0");
  return results;
}

/**
 * One of two ways into ours: "/path", "Header: value" or "SETTING=value".
 * @param {string} way
 */
function wayIn(way) {
  if (way.startsWith("/")) return { path: way };
  if (way.includes(": ")) return { header: way };
  const [name, value] = way.split("=");
  if (!value) throw new Error(`neither a path nor "Header: value" nor "SETTING=value": ${way}`);
  return { settings: { [name]: value } };
}

/**
 * The CPU and the throughput of one operation by two ways into ours, each in a process of its own.
 * @param {{ ways: readonly string[], rounds: number, seconds: number, warmSeconds: { first: number },
 *   say: (text: string) => void }} options twice the same way: the ratio is the noise
 */
export async function measureEntry({ ways, rounds, seconds, warmSeconds, say }) {
  const stub = await startFastStub();
  const stops = [stub.stop];
  try {
    const runs = [];
    for (const way of ways) {
      const { path = "/graphql", header, settings } = wayIn(way);
      const running = await startContender(ours(way, settings), { upstreamUrl: stub.url });
      stops.push(running.stop);
      const traffic = { stub, ...trafficOf(ROWS.one, running), header, url: new URL(path, running.url).href };
      runs.push({
        name: "ab"[runs.length],
        label: way,
        warmUp: () => sample(running, { ...traffic, seconds: warmSeconds.first }),
        take: () => sample(running, { ...traffic, seconds }),
      });
    }
    return { ways, ...(await inTurns(runs, { what: "way in", rounds, say })) };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}
