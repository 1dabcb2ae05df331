/** results.md from the figures of a run. */
import { SCENARIOS } from "../load/queries.mjs";
import { authentikTargets, costRatios, gatewayTargets } from "./targets.mjs";

const line = (cells) => `| ${cells.join(" | ")} |`;

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number)[])[]} rows
 */
function table(head, rows) {
  return [line(head), line(head.map((_, i) => (i ? "--:" : "---"))), ...rows.map(line)].join("\n");
}

/** Three digits that count, and no more than needed. @param {number | undefined} value */
export function short(value) {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function verdicts(list) {
  const word = { true: "reached", false: "**not reached**", null: "–" };
  return table(
    ["", "target", "measured", ""],
    list.map(({ what, target, measured, reached }) => [what, target, measured, word[String(reached)]]),
  );
}

function throughput({ gateway, labels }) {
  const scenarios = Object.keys(gateway);
  const names = Object.keys(gateway[scenarios[0]]);
  return table(
    ["operations a second (× graphql-yoga)", ...scenarios],
    names.map((name) => [
      labels[name],
      ...scenarios.map((scenario) => {
        const value = gateway[scenario][name]?.perSecond;
        return `${short(value)} (${short(value / gateway[scenario].naive?.perSecond)})`;
      }),
    ]),
  );
}

function details(name, by, labels) {
  return table(
    [name, "p50 ms", "p99 ms", "REST calls", "rows listed", "authentik's ms", "CPU µs", "failed"],
    Object.entries(by).map(([who, one]) => [
      labels[who],
      short(one.p50Ms),
      short(one.p99Ms),
      short(one.restCalls),
      short(one.rows),
      short(one.costMs),
      short(one.cpuUs),
      one.failed,
    ]),
  );
}

function fifty({ fiftyIds, labels }) {
  return table(
    [
      "50 of 100 ids, 4 clients",
      "administrator /s",
      "p50 ms",
      "authentik's ms",
      "person /s",
      "p50 ms",
      "authentik's ms",
    ],
    Object.entries(fiftyIds).map(([who, { administrator, person }]) => [
      labels[who] ?? who,
      ...[administrator, person].flatMap((one) => [
        short(one.perSecond),
        short(one.p50Ms),
        short(one.costMs),
      ]),
    ]),
  );
}

function grid(figures) {
  const cells = costRatios(figures).filter(({ sees }) => sees === "all");
  const ids = [...new Set(cells.map((cell) => cell.ids))];
  const directories = [...new Set(cells.map((cell) => cell.directory))];
  return table(
    ["ids \\ rows", ...directories.map((rows) => rows.toLocaleString("en"))],
    ids.map((count) => [
      count,
      ...directories.map((directory) => {
        const cell = cells.find((one) => one.ids === count && one.directory === directory);
        return cell ? `${short(cell.costMs)} (${cell.ratio.toFixed(2)})` : "–";
      }),
    ]),
  );
}

/** One row for each x, one column for each contender. */
function curve(points, labels, { x, value }) {
  const names = [...new Set(points.map(({ contender }) => contender))];
  const xs = [...new Set(points.map((point) => point.x))];
  return table(
    [x, ...names.map((name) => labels[name] ?? name)],
    xs.map((at) => [
      at.toLocaleString("en"),
      ...names.map((name) => {
        const point = points.find((one) => one.x === at && one.contender === name);
        return point ? value(point) : "–";
      }),
    ]),
  );
}

function footprint({ footprint, loadedMib = {}, labels, versions }) {
  return table(
    ["", "version", "cold start s", "memory idle MiB", "after load MiB"],
    Object.entries(footprint).map(([who, { startMs, idleMib }]) => [
      labels[who] ?? who,
      versions?.[who] ?? "–",
      (startMs / 1000).toFixed(2),
      Math.round(idleMib),
      loadedMib[who] ? Math.round(loadedMib[who]) : "–",
    ]),
  );
}

const failedNote = (point) => (point.failed ? `, ${point.failed} failed` : "");

/** @param {any} figures @returns {string} */
export function toMarkdown(figures) {
  const { machine, labels, gateway, slow } = figures;
  const parts = [
    "# Benchmark results",
    `${machine.quick ? "A quick run" : "A full run"} of \`npm run bench${machine.quick ? " -- --quick" : ""}\` on ${machine.date}: ` +
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}, ${machine.tool}` +
      `${figures.nativeStub === false ? ", fast stub in Node (no C compiler)" : ""}; ` +
      (machine.pinned
        ? "the server under test on core 0, the stub and the load on core 1."
        : "nothing pinned to a core: read the ratios only.") +
      " Everyone is warmed up first, then all take turns in short rounds; figures are medians, ratios are medians of the rounds' ratios, and ratios below 1.1 mean nothing.",
    "![Chart of the results](results.svg)",
    "## Targets",
    "What operations cost authentik:",
    verdicts(authentikTargets(figures)),
    "What the gateway itself costs:",
    verdicts(gatewayTargets(figures)),
  ];
  if (gateway)
    parts.push(
      "## The gateway's own speed",
      "64 connections, a fast upstream (C, one core), every request with a bearer token. " +
        Object.entries(SCENARIOS)
          .map(([name, { title }]) => `**${name}** ${title}`)
          .join("; ") +
        ". CPU is the server's, for each operation; authentik's ms are what the REST calls would keep one of its workers busy (33 for a retrieve, 30 + 2.6 a row for a list).",
      throughput(figures),
      ...Object.entries(gateway).map(([name, by]) => details(name, by, labels)),
    );
  if (slow)
    parts.push(
      "### An upstream that takes 20 ms",
      `Straight at it, the load tool gets ${short(slow.straight.perSecond)} answers a second, p50 ${short(slow.straight.p50Ms)} ms, p99 ${short(slow.straight.p99Ms)} ms.`,
      table(
        [
          "Q1, 64 connections",
          "per second",
          "p50 ms",
          "p99 ms",
          "50 of 100 ids, 1 connection: p50 ms",
          "REST calls",
        ],
        Object.entries(slow.single).map(([who, one]) => [
          labels[who],
          short(one.perSecond),
          short(one.p50Ms),
          short(one.p99Ms),
          short(slow.fifty[who].p50Ms),
          short(slow.fifty[who].restCalls),
        ]),
      ),
    );
  if (figures.fiftyIds)
    parts.push(
      "## As authentik answers",
      "Two workers, first come first served, 33 ms a retrieve, 30 ms + 2.6 ms a row for a list, as measured on real servers.",
      fifty(figures),
      `Single retrieves from 64 clients: ${short(figures.singles?.perSecond)} a second of ${short(figures.singles?.straightPerSecond)} straight at it; in flight there, second by second: ${figures.singles?.inFlight.join(" ")}. ` +
        `From 128 clients at an upstream of unlimited workers and 20 ms: in flight ${figures.unlimited?.inFlight.join(" ")}. ` +
        `One id takes p50 ${short(figures.fairness?.alone.p50Ms)} / p95 ${short(figures.fairness?.alone.p95Ms)} ms alone and ${short(figures.fairness?.beside.p50Ms)} / ${short(figures.fairness?.beside.p95Ms)} ms beside another caller's 500.`,
    );
  if (figures.stubCheck)
    parts.push(
      "How near that stub is to real servers:",
      table(
        ["", "stub", ...Object.keys(figures.stubCheck[0].recorded).map((release) => `authentik ${release}`)],
        figures.stubCheck.map(({ what, unit, stub, recorded }) => [
          `${what}, ${unit}`,
          short(stub),
          ...Object.values(recorded).map(short),
        ]),
      ),
    );
  if (figures.cost)
    parts.push(
      "### Cost to authentik",
      "Milliseconds of a worker for the second operation of an administrator (in brackets: of the cheaper way known in hindsight). " +
        `A caller who sees 3 rows: ${short(
          Math.max(
            ...costRatios(figures)
              .filter(({ sees }) => sees === "few")
              .map(({ ratio }) => ratio),
          ),
        )} at worst.`,
      grid(figures),
    );
  if (figures.growIds)
    parts.push(
      "## Growth",
      "Ids of one operation (fast upstream, directory of 1,000, 16 connections): operations a second, and authentik's ms for each.",
      curve(figures.growIds, labels, {
        x: "ids",
        value: (point) => `${short(point.perSecond)}; ${short(point.costMs)}${failedNote(point)}`,
      }),
      "Clients (Q2): operations a second, p99 in ms.",
      curve(figures.growClients, labels, {
        x: "connections",
        value: (point) => `${short(point.perSecond)}; ${short(point.p99Ms)}${failedNote(point)}`,
      }),
    );
  if (figures.growDirectory)
    parts.push(
      "Rows in the directory (50 ids of an administrator, one client, as authentik answers): p50 in ms, REST calls.",
      curve(figures.growDirectory, labels, {
        x: "rows",
        value: (point) => `${short(point.p50Ms)}; ${short(point.restCalls)}`,
      }),
    );
  if (figures.growWorkers)
    parts.push(
      "Workers of ours (Q2, both cores, which the load shares: a lower bound): operations a second.",
      curve(figures.growWorkers, labels, {
        x: "workers",
        value: (point) => short(point.perSecond) + failedNote(point),
      }),
    );
  if (figures.footprint) parts.push("## Start and memory", footprint(figures));
  if (figures.absent?.length)
    parts.push(
      "Left out: " +
        figures.absent.map(({ label, reason }) => `${label} (${reason.split("\n")[0]})`).join("; ") +
        ".",
    );
  if (figures.failures?.length) parts.push(`Failed to measure: ${figures.failures.join("; ")}.`);
  return `${parts.join("\n\n")}\n`;
}
