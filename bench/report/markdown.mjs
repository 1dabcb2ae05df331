/** results.md from the figures of a run. */
import { NEIGHBOURS } from "../measure/queue.mjs";
import { ratioOf } from "../measure/sample.mjs";
import { ROWS } from "../measure/speed.mjs";
import { costRatios, fiftyRatios, targetsByPart } from "./targets.mjs";

/** Three digits that count, and no more than needed. @param {number | undefined} value */
export function short(value) {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const shown = (cell) =>
  typeof cell === "string" ? cell : Number.isInteger(cell) ? String(cell) : short(cell);
const line = (cells) => `| ${cells.map(shown).join(" | ")} |`;

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number | undefined)[])[]} rows
 */
function table(head, rows) {
  return [line(head), line(head.map((_, i) => (i ? "--:" : "---"))), ...rows.map(line)].join("\n");
}

const distinct = (points, name) => [...new Set(points.map((point) => point[name]))];
const count = (value) => value.toLocaleString("en");

const perSecond = (by, name) =>
  by[name] && `${short(by[name].perSecond)} (${short(ratioOf(by[name], by.bare))})`;

function speedTables({ speed, labels }) {
  const rows = Object.keys(speed);
  return [
    table(
      ["operations a second (× bare proxy)", ...rows.map((row) => ROWS[row].title)],
      Object.keys(speed[rows[0]]).map((name) => [
        labels[name],
        ...rows.map((row) => perSecond(speed[row], name)),
      ]),
    ),
    ...rows.map((row) =>
      table(
        [ROWS[row].title, "p50 ms", "p99 ms", "REST calls", "CPU µs", "loading core busy", "failed"],
        Object.entries(speed[row]).map(([name, { p50Ms, p99Ms, restCalls, cpuUs, loadCoreBusy, failed }]) => {
          return [labels[name], p50Ms, p99Ms, restCalls, cpuUs, loadCoreBusy, failed];
        }),
      ),
    ),
  ];
}

function chunksTable({ chunks, labels }) {
  const names = new Set(Object.keys(chunks).map((name) => name.split(" ")[0]));
  return table(
    ["one field, 200 callers", "with a length /s", "in chunks /s", "ratio", "CPU µs", "CPU µs in chunks"],
    [...names].map((name) => {
      const [whole, parts] = [chunks[`${name} length`], chunks[`${name} chunks`]];
      return [
        labels[name],
        whole?.perSecond,
        parts?.perSecond,
        ratioOf(parts, whole),
        whole?.cpuUs,
        parts?.cpuUs,
      ];
    }),
  );
}

function rowsTable(figures) {
  const { rows, labels } = figures;
  const ratios = new Map(fiftyRatios(figures).map(({ x, ratio }) => [x, ratio]));
  const names = distinct(rows, "contender");
  return table(
    [
      "rows",
      ...names.flatMap((name) => [`${labels[name]}: p50 ms`, "authentik's ms", "REST calls"]),
      "latency, of plain yoga's",
    ],
    distinct(rows, "x").map((x) => {
      const found = names.map((name) => rows.find((one) => one.x === x && one.contender === name));
      return [count(x), ...found.flatMap((one) => [one.p50Ms, one.costMs, one.restCalls]), ratios.get(x)];
    }),
  );
}

function neighboursTable({ neighbours }) {
  return table(
    ["", "alone: p50 ms", "p95 ms", "beside: p50 ms", "p95 ms", "operations of the others", "failed"],
    Object.entries(neighbours).map(([name, { alone, beside, others }]) => [
      NEIGHBOURS[name].title,
      alone.p50Ms,
      alone.p95Ms,
      beside.p50Ms,
      beside.p95Ms,
      others.operations,
      alone.failed + beside.failed,
    ]),
  );
}

function costTable(figures) {
  const cells = costRatios(figures).filter(({ sees }) => sees === "all");
  const directories = distinct(cells, "directory");
  const cell = (ids, directory) => {
    const found = cells.find((one) => one.ids === ids && one.directory === directory);
    return found && `${short(found.costMs)} (${found.ratio.toFixed(2)})`;
  };
  return table(
    ["ids \\ rows", ...directories.map(count)],
    distinct(cells, "ids").map((ids) => [ids, ...directories.map((rows) => cell(ids, rows))]),
  );
}

const QUESTIONS = {
  links: "all links of a source with names, 100 of 250",
  account: "one account",
  user: "one user",
};

function questionsTable({ questions, labels }) {
  return table(
    ["", "", "REST calls", "authentik's ms", "p50 ms"],
    Object.entries(questions).flatMap(([question, by]) =>
      Object.entries(by).map(([name, one]) => [
        QUESTIONS[question],
        labels[name],
        one.calls,
        one.costMs,
        one.p50Ms,
      ]),
    ),
  );
}

/** What each part of the figures is shown as. @type {[string, (figures: any) => string[]][]} */
const SECTIONS = [
  [
    "speed",
    (figures) => [
      "## Speed of our own",
      "64 connections, a fast upstream (C, one core), ids cycling over 1,000. CPU is the server's, for each operation; where the loading core is busy all the time, the load could do no more.",
      ...speedTables(figures),
    ],
  ],
  ["chunks", (figures) => ["### An upstream that sends chunks", chunksTable(figures)]],
  [
    "entry",
    ({ entry: { ways, a, b } }) => [
      "### Ways in",
      table(
        ["one field, 200 callers", "per second", "CPU µs", "CPU, of the second"],
        [a, b].map((one, i) => [`\`${ways[i]}\``, one.perSecond, one.cpuUs, ratioOf(one, b, "cpuUs")]),
      ),
    ],
  ],
  [
    "rows",
    (figures) => [
      "## As authentik answers",
      "Two workers, first come first served, 33 ms a retrieve, 30 ms + 2.6 ms a row for a list, as measured on real servers. 50 random ids in one operation, one client; authentik's ms are what its workers spend on it.",
      rowsTable(figures),
    ],
  ],
  ["neighbours", (figures) => ["### Beside others", neighboursTable(figures)]],
  [
    "singles",
    ({ singles: { perSecond, best, p50Ms, inFlight } }) => [
      `64 single retrievers at two workers: ${short(perSecond)} a second of ${short(best)}, p50 ${short(p50Ms)} ms; in flight there ${inFlight.p50}, at most ${inFlight.max}.`,
    ],
  ],
  [
    "unlimited",
    ({ unlimited: { pastSeconds, settled, perSecond } }) => [
      `128 clients at unlimited workers that take 20 ms: past 60 in flight ${pastSeconds === null ? "never" : `after ${pastSeconds.toFixed(1)} s`}, settled at ${settled}; ${short(perSecond)} operations a second.`,
    ],
  ],
  [
    "cost",
    (figures) => [
      "### Cost to authentik",
      "Milliseconds of a worker for the second operation of an administrator (in brackets: of the cheaper way known in hindsight).",
      costTable(figures),
    ],
  ],
  [
    "questions",
    (figures) => [
      "## Questions",
      "Two workers with authentik's times, one client. Hive Gateway cannot follow a connection to its user: its client asks twice.",
      questionsTable(figures),
    ],
  ],
  [
    "footprint",
    ({ footprint, labels }) => [
      "## Start and memory",
      table(
        ["", "version", "cold start s", "memory idle MiB", "after load MiB"],
        Object.entries(footprint).map(([name, one]) => {
          return [labels[name], one.version, one.startMs / 1000, one.idleMib, one.loadedMib];
        }),
      ),
    ],
  ],
];

/** @param {any} figures @returns {string} */
export function toMarkdown(figures) {
  const { machine } = figures;
  const word = { true: "reached", false: "**not reached**", null: "–" };
  const parts = [
    "# Benchmark results",
    `A ${machine.quick ? "quick" : "full"} run of \`npm run bench\` on ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}, ` +
      `${machine.tool}${machine.nativeStub ? "" : ", fast stub in Node (no C compiler)"}; ` +
      `${machine.pinned ? "the server under test on core 0, the stub and the load on core 1." : "nothing pinned to a core: read the ratios only."} ` +
      "Everyone is warmed up first, then all take turns in short rounds; figures are medians, ratios are medians of the rounds' ratios, and ratios below 1.1 mean nothing. " +
      "Every request has an `X-Request-Id` and a `traceparent` of its own, every answer is checked, and ours runs as built, with its defaults, logs and metrics on.",
    "![Chart of the results](results.svg)",
    "## Targets",
  ];
  for (const [title, list] of Object.entries(targetsByPart(figures)))
    if (list.length) {
      const rows = list.map(({ what, target, measured, reached }) => [
        what,
        target,
        measured,
        word[String(reached)],
      ]);
      parts.push(table([title, "target", "measured", ""], rows));
    }
  for (const [name, section] of SECTIONS) if (figures[name]) parts.push(...section(figures));
  const notes = { "Left out": figures.absent, "Failed to measure": figures.failures };
  for (const [what, reasons] of Object.entries(notes)) {
    const list = Object.entries(reasons).map(
      ([name, reason]) => `${figures.labels[name] ?? name} (${reason})`,
    );
    if (list.length) parts.push(`${what}: ${list.join("; ")}.`);
  }
  return `${parts.join("\n\n")}\n`;
}
