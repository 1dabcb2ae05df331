/**
 * Measures ours beside its peers and writes results.md and results.svg.
 *
 *   node main.mjs [--quick] [--only part,part] [--peers name,name] [--report] [--way WAY --way WAY]
 *
 * Parts: see PARTS below. Those not measured now keep what an earlier run found; `--report` only writes the files again.
 * `--way`: for `entry`, two ways into ours to compare, each "/path", "Header: value" or "SETTING=value".
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { tool } from "./load/http-load.mjs";
import { endChildrenOnSignal, pinSelf, pinning } from "./load/processes.mjs";
import { measureFootprint } from "./measure/footprint.mjs";
import { measureQuestions } from "./measure/questions.mjs";
import { measureNeighbours, measureSingles, measureUnlimited } from "./measure/queue.mjs";
import { measureCostGrid, measureFiftyByRows } from "./measure/rows.mjs";
import { measureChunks, measureEntry, measureSpeed } from "./measure/speed.mjs";
import { startContender } from "./peers/contender.mjs";
import { OURS, PEERS, ours } from "./peers/peers.mjs";
import { toChart } from "./report/chart.mjs";
import { machine } from "./report/machine.mjs";
import { toMarkdown } from "./report/markdown.mjs";
import { allTargets } from "./report/targets.mjs";
import { nativeStub, startFastStub } from "./stubs/stubs.mjs";

const FULL = {
  rounds: 5,
  seconds: 2,
  warmSeconds: { first: 8, next: 3 },
  coldStarts: 5,
  loadSeconds: 10,
  operations: 7,
  neighbours: { rounds: 3, seconds: 10 },
  settleSeconds: 15,
  grid: {
    ids: [1, 2, 3, 5, 10, 20, 50, 100, 200, 500],
    directories: [10, 30, 100, 300, 1000, 3000, 10_000],
    speed: 2,
  },
};
const QUICK = {
  rounds: 2,
  seconds: 1,
  warmSeconds: { first: 2, next: 1 },
  coldStarts: 1,
  loadSeconds: 3,
  operations: 3,
  neighbours: { rounds: 1, seconds: 5 },
  settleSeconds: 8,
  grid: { ids: [1, 5, 20, 50, 200, 500], directories: [10, 100, 1000, 10_000], speed: 8 },
};

const startMs = performance.now();
const tookSeconds = () => Math.round((performance.now() - startMs) / 1000);

/** Tells what is being measured and how long it has taken so far. @param {string} text */
function say(text) {
  const [minutes, seconds] = [Math.floor(tookSeconds() / 60), tookSeconds() % 60];
  process.stdout.write(`${[minutes, seconds].map((n) => String(n).padStart(2, "0")).join(":")}  ${text}\n`);
}

/**
 * Measures with a fast stub and, running beside it, those who start; who does not is named with the reason.
 * @template T
 * @param {readonly import("./peers/peers.mjs").Contender[]} contenders
 * @param {(shared: { contenders: import("./peers/contender.mjs").RunningContender[], stub: import("./stubs/stubs.mjs").Stub }) => Promise<T>} measure
 */
async function beside(contenders, measure) {
  const stub = await startFastStub();
  const running = [];
  try {
    for (const contender of contenders)
      try {
        running.push(await startContender(contender, { upstreamUrl: stub.url }));
      } catch (error) {
        figures.absent[contender.name] = error.message.split("\n")[0];
        say(`${contender.label} is left out: ${error.message}`);
      }
    return await measure({ contenders: running, stub });
  } finally {
    await Promise.all(running.map((one) => one.stop()));
    await stub.stop();
  }
}

/** @param {...string} names those of the peers that are measured now */
const among = (...names) => [OURS, ...chosen.filter(({ name }) => names.includes(name))];

/** Two workers take more than the default 10 s for 500 retrieves. */
const patient = ours(OURS.label, { OPERATION_TIMEOUT_MS: "120000" });

/** Each gives the figures of one part of the report. @type {Record<string, () => Promise<any>>} */
const PARTS = {
  footprint: () =>
    beside([], ({ stub }) =>
      measureFootprint({ contenders: [OURS, ...chosen.filter(({ bare }) => !bare)], stub, ...plan, say }),
    ),
  speed: () => beside([OURS, ...chosen], (shared) => measureSpeed({ ...shared, ...plan, say })),
  chunks: () => beside(among("bare", "mercurius"), (shared) => measureChunks({ ...shared, ...plan, say })),
  rows: () =>
    measureFiftyByRows({ contenders: among("naive"), directories: FULL.grid.directories, ...plan, say }),
  neighbours: () => measureNeighbours({ contender: patient, ...plan.neighbours, say }),
  singles: () =>
    measureSingles({ contender: OURS, ...plan.neighbours, settleSeconds: plan.settleSeconds, say }),
  unlimited: () => measureUnlimited({ contender: OURS, seconds: plan.settleSeconds, say }),
  cost: () => measureCostGrid({ contender: patient, ...plan.grid, say }),
  questions: () => measureQuestions({ contenders: among("naive", "hive"), ...plan, say }),
  entry: () => measureEntry({ ways: flags.way ?? ["/graphql", "/graphql"], ...plan, say }),
};

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    only: {
      type: "string",
      default: Object.keys(PARTS)
        .filter((name) => name !== "entry")
        .join(","),
    },
    peers: { type: "string", default: PEERS.map(({ name }) => name).join(",") },
    way: { type: "string", multiple: true },
  },
});
const plan = flags.quick ? QUICK : FULL;
const wanted = flags.report ? [] : flags.only.split(",");
const unknown = wanted.filter((name) => !PARTS[name]);
if (unknown.length)
  throw new Error(`no such part: ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`);
const chosen = PEERS.filter(({ name }) => flags.peers.split(",").includes(name));

const cache = new URL(".cache/", import.meta.url);
const figuresFile = new URL("figures.json", cache);

function earlierFigures() {
  try {
    return JSON.parse(readFileSync(figuresFile, "utf8"));
  } catch {
    return {};
  }
}

const figures = { absent: {}, failures: {}, ...earlierFigures() };

function save() {
  mkdirSync(cache, { recursive: true });
  writeFileSync(figuresFile, JSON.stringify(figures, null, 1));
}

if (!flags.report) {
  pinSelf();
  endChildrenOnSignal();
  figures.labels = Object.fromEntries([OURS, ...PEERS].map(({ name, label }) => [name, label]));
  figures.machine = machine({ quick: flags.quick, tool, pinned: pinning !== null, nativeStub });
  say(`${flags.quick ? "quick run" : "full run"} with ${tool}${pinning ? ", pinned" : ", not pinned"}`);
}
for (const name of wanted) {
  delete figures.failures[name];
  try {
    figures[name] = await PARTS[name]();
  } catch (error) {
    // One that fails is told, and does not take the others with it.
    figures.failures[name] = error.message;
    say(`${name} failed: ${error.stack}`);
  }
  save();
}
for (const { what, target, measured, reached } of allTargets(figures))
  if (reached !== null) say(`${reached ? "reached    " : "NOT REACHED"}  ${what}: ${measured} (${target})`);
writeFileSync(new URL("results.md", import.meta.url), toMarkdown(figures));
writeFileSync(new URL("results.svg", import.meta.url), toChart(figures));
say("wrote bench/results.md and bench/results.svg");
