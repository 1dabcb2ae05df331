/**
 * Measures ours beside its peers and writes results.md and results.svg.
 *
 *   node main.mjs [--quick] [--only section,section] [--peers name,name] [--report]
 *
 * Sections: footprint, gateway, slow, cost, time, growth. `--report` writes the files again from the last figures.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { tool } from "./load/http-load.mjs";
import { endChildrenOnSignal, pinSelf, pinning } from "./load/processes.mjs";
import { measureAuthentikCost } from "./measure/authentik-cost.mjs";
import {
  measureFairness,
  measureFiftyIds,
  measureSingles,
  measureUnlimited,
} from "./measure/authentik-time.mjs";
import { measureFootprint } from "./measure/footprint.mjs";
import { measureGatewayCost } from "./measure/gateway-cost.mjs";
import { growClients, growDirectory, growIds, growWorkers } from "./measure/growth.mjs";
import { checkStub } from "./measure/stub-check.mjs";
import { measureSlowUpstream } from "./measure/slow-upstream.mjs";
import { startContender } from "./peers/contender.mjs";
import { OURS, OURS_ALONE, OURS_PLAIN, PEERS, ours } from "./peers/peers.mjs";
import { createProgress } from "./progress.mjs";
import { machine } from "./report/machine.mjs";
import { writeReport } from "./report/report.mjs";
import { startFastStub } from "./stubs/stubs.mjs";

const SECTIONS = ["footprint", "gateway", "slow", "cost", "time", "growth"];
const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    only: { type: "string", default: SECTIONS.join(",") },
    peers: { type: "string", default: PEERS.map(({ name }) => name).join(",") },
  },
});
const plan = flags.quick
  ? {
      rounds: 1,
      seconds: 1,
      slowSeconds: 3,
      warmSeconds: { first: 3, next: 1 },
      coldStarts: 1,
      speed: 5,
      timeSeconds: 2,
      settleSeconds: 5,
    }
  : {
      rounds: 5,
      seconds: 1,
      slowSeconds: 6,
      warmSeconds: { first: 8, next: 2 },
      coldStarts: 3,
      speed: 1,
      timeSeconds: 6,
      settleSeconds: 15,
    };
const GRID = flags.quick
  ? { ids: [1, 5, 20, 50, 200, 500], directories: [10, 100, 1000, 10_000] }
  : { ids: [1, 2, 3, 5, 10, 20, 50, 100, 200, 500], directories: [10, 30, 100, 300, 1000, 3000, 10_000] };
const CURVES = flags.quick
  ? { ids: [1, 50, 500], directories: [10, 100, 1000], clients: [1, 64, 512] }
  : {
      ids: [1, 2, 5, 10, 20, 50, 100, 200, 500],
      directories: [10, 30, 100, 300, 1000, 3000, 10_000],
      clients: [1, 4, 16, 64, 128, 256, 512],
    };

const cache = new URL(".cache/", import.meta.url);
const figuresFile = new URL("figures.json", cache);
const progress = createProgress();
const { say } = progress;

/** The figures so far: sections not measured now keep what an earlier run found. */
function earlierFigures() {
  try {
    return JSON.parse(readFileSync(figuresFile, "utf8"));
  } catch {
    return {};
  }
}

const figures = flags.report || flags.only !== SECTIONS.join(",") ? earlierFigures() : {};

function save() {
  mkdirSync(cache, { recursive: true });
  writeFileSync(figuresFile, JSON.stringify(figures, null, 1));
}

/** Starts everyone on the fast stub; who does not start is named with the reason. */
async function startAll(contenders, stub) {
  const running = [];
  figures.absent = [];
  for (const contender of contenders) {
    try {
      running.push(await startContender(contender, { upstreamUrl: stub.url }));
    } catch (error) {
      figures.absent.push({ name: contender.name, label: contender.label, reason: error.message });
      say(`${contender.label} is left out: ${error.message}`);
    }
  }
  return running;
}

/** @param {(stub: any) => Promise<void>} measure @param {{ delayMs?: number }} [options] of every answer */
async function withFastStub(measure, { delayMs = 0 } = {}) {
  const stub = await startFastStub({ say });
  await stub.reset(`?delay_us=${delayMs * 1000}`);
  figures.nativeStub = stub.native;
  try {
    await measure(stub);
  } finally {
    await stub.stop();
  }
}

async function stopAll(running) {
  await Promise.all(running.map((one) => one.stop()));
}

const chosen = PEERS.filter(({ name }) => flags.peers.split(",").includes(name));

/** Measures with everyone running beside a fast stub. */
async function withEveryone(contenders, measure, options) {
  await withFastStub(async (stub) => {
    const running = await startAll(contenders, stub);
    try {
      await measure({ contenders: running, stub, ...plan, progress });
    } finally {
      await stopAll(running);
    }
  }, options);
}

async function gatewaySection(everyone) {
  await withEveryone(everyone, async (shared) => {
    const { contenders } = shared;
    figures.versions = Object.fromEntries(contenders.map((one) => [one.name, one.version()]));
    figures.gateway = await measureGatewayCost(shared);
    figures.loadedMib = Object.fromEntries(contenders.map((one) => [one.name, one.residentMib()]));
  });
}

async function slowSection(everyone) {
  const graph = everyone.filter(({ bare }) => !bare);
  await withEveryone(graph, async (shared) => void (figures.slow = await measureSlowUpstream(shared)), {
    delayMs: 20,
  });
}

async function growthSection(everyone) {
  const few = everyone.filter(({ name }) => ["ours", "naive", "tailcall", "tailcall-dedupe"].includes(name));
  await withEveryone(few, async (shared) => {
    figures.growIds = await growIds({ ...shared, ids: CURVES.ids });
    figures.growClients = await growClients({ ...shared, clients: CURVES.clients });
  });
}

/** Runs a section; one that fails is told, and does not take the others with it. */
async function attempt(what, measure) {
  try {
    await measure();
  } catch (error) {
    figures.failures = [...(figures.failures ?? []), `${what}: ${error.message}`];
    say(`${what} failed: ${error.stack}`);
  }
  save();
}

async function measureAll(wanted) {
  figures.failures = [];
  figures.labels = Object.fromEntries(
    [OURS, OURS_ALONE, OURS_PLAIN, ...PEERS].map(({ name, label }) => [name, label]),
  );
  figures.machine = machine({ quick: flags.quick, tool, pinned: pinning !== null });
  say(`${flags.quick ? "quick run" : "full run"} with ${tool}${pinning ? ", pinned" : ", not pinned"}`);
  if (wanted.has("footprint"))
    await attempt("footprint", () =>
      withFastStub(async (stub) => {
        const contenders = [OURS, ...chosen.filter(({ bare }) => !bare)];
        figures.footprint = await measureFootprint({ contenders, stub, rounds: plan.coldStarts, progress });
      }),
    );
  const everyone = [OURS, OURS_ALONE, OURS_PLAIN, ...chosen];
  if (wanted.has("gateway")) await attempt("gateway", () => gatewaySection(everyone));
  if (wanted.has("slow")) await attempt("slow", () => slowSection(everyone));
  if (wanted.has("growth")) await attempt("growth", () => growthSection(everyone));
  const patient = { OPERATION_TIMEOUT_MS: "120000" };
  const contender = ours("ours", OURS.label, patient);
  if (wanted.has("cost"))
    await attempt("cost", async () => {
      figures.cost = await measureAuthentikCost({ contender, ...GRID, speed: flags.quick ? 8 : 2, progress });
    });
  if (wanted.has("time")) await attempt("time", () => timeSections());
  if (wanted.has("growth"))
    await attempt("growth of directory and workers", async () => {
      const contenders = [
        contender,
        ...chosen.filter(({ name }) => name === "naive" || name === "tailcall-dedupe"),
      ];
      const few = { contenders, operations: flags.quick ? 3 : 5, speed: flags.quick ? 8 : 3, progress };
      figures.growDirectory = await growDirectory({ ...few, directories: CURVES.directories });
      await withFastStub(async (stub) => {
        figures.growWorkers = await growWorkers({
          stub,
          workers: [1, 2],
          ...plan,
          progress,
        });
      });
    });
}

async function timeSections() {
  const { timeSeconds: seconds, settleSeconds, speed } = plan;
  const graph = chosen.filter(({ bare }) => !bare);
  figures.stubCheck = await checkStub({ progress });
  figures.fiftyIds = await measureFiftyIds({ contenders: [OURS, ...graph], seconds, speed, progress });
  const singles = { contender: OURS, settleSeconds, seconds, progress };
  figures.singles = await measureSingles(singles);
  figures.unlimited = await measureUnlimited(singles);
  figures.fairness = await measureFairness({ contender: OURS, seconds: seconds * 2, progress });
}

if (!flags.report) {
  pinSelf();
  endChildrenOnSignal();
  await measureAll(new Set(flags.only.split(",")));
  figures.tookSeconds = Math.round(progress.seconds());
  save();
}
writeReport(figures);
say("wrote bench/results.md and bench/results.svg");
