/** The project's own targets, each held against the figures of one run. */
import { compareRounds } from "../measure/sample.mjs";

/**
 * @typedef {object} Verdict
 * @property {string} what
 * @property {string} target
 * @property {string} measured
 * @property {boolean | null} reached null: not measured in this run
 */

const times = (value) => `${value.toFixed(2)}x`;
const atLeast = (what, floor, value) => ({
  what,
  target: `at least ${floor}x`,
  measured: Number.isFinite(value) ? times(value) : "not measured",
  reached: Number.isFinite(value) ? value >= floor : null,
});
const below = (what, ceiling, unit, value, digits = 0) => ({
  what,
  target: `under ${ceiling} ${unit}`,
  measured: Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}` : "not measured",
  reached: Number.isFinite(value) ? value < ceiling : null,
});
const atMost = (what, ceiling, value) => ({
  what,
  target: `at most ${ceiling}x`,
  measured: Number.isFinite(value) ? times(value) : "not measured",
  reached: Number.isFinite(value) ? value <= ceiling : null,
});

/** @param {any} figures */
export function costRatios({ cost = [] }) {
  return cost
    .filter(({ operation, failed }) => operation === 2 && !failed)
    .map((cell) => ({ ...cell, ratio: cell.costMs / cell.hindsightMs }));
}

function bestPeer(figures, who) {
  const peers = Object.entries(figures.fiftyIds ?? {}).filter(([name]) => !name.startsWith("ours"));
  return Math.max(...peers.map(([, kinds]) => kinds[who].perSecond));
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const lastHalf = (values = []) =>
  values.slice(Math.floor(values.length / 2)).filter((value) => value !== null);

/** @param {any} figures @returns {Verdict[]} */
export function authentikTargets(figures) {
  const ratios = costRatios(figures).map(({ ratio }) => ratio);
  const failed = (figures.cost ?? []).filter(({ failed }) => failed).length;
  const { singles, unlimited, fairness, fiftyIds } = figures;
  const settled = lastHalf(singles?.inFlight);
  const grown = Math.max(...lastHalf(unlimited?.inFlight));
  return [
    atMost("cost over the grid, mean", 1.15, ratios.length ? mean(ratios) : Number.NaN),
    atMost(
      `cost over the grid, worst${failed ? ` (${failed} operations failed)` : ""}`,
      1.5,
      ratios.length ? Math.max(...ratios) : Number.NaN,
    ),
    atLeast(
      "50 random ids, administrator, 100 rows, 4 clients: of the best peer",
      4,
      (fiftyIds?.ours?.administrator.perSecond ?? Number.NaN) / bestPeer(figures, "administrator"),
    ),
    atLeast(
      "the same, a person who sees 3 rows",
      20,
      (fiftyIds?.ours?.person.perSecond ?? Number.NaN) / bestPeer(figures, "person"),
    ),
    atLeast(
      "single retrieves, 64 clients: of the upstream's best",
      0.95,
      singles?.perSecond / singles?.straightPerSecond,
    ),
    {
      what: "in flight at two workers, settled",
      target: "between 2 and 12",
      measured: settled.length ? `${Math.min(...settled)} to ${Math.max(...settled)}` : "not measured",
      reached: settled.length ? Math.min(...settled) >= 2 && Math.max(...settled) <= 12 : null,
    },
    {
      what: "in flight at unlimited workers and 20 ms",
      target: "past 60",
      measured: Number.isFinite(grown) ? String(grown) : "not measured",
      reached: Number.isFinite(grown) ? grown > 60 : null,
    },
    atMost(
      "p95 of one id beside 500 ids of another caller, of alone",
      2,
      fairness?.beside.p95Ms / fairness?.alone.p95Ms,
    ),
  ];
}

const throughputRatio = (one, other) => compareRounds(one, other, (a, b) => a.perSecond / b.perSecond);

/** @param {any} figures @returns {Verdict[]} */
export function gatewayTargets(figures) {
  const ratio = (scenario, one, other) =>
    throughputRatio(figures.gateway?.[scenario]?.[one], figures.gateway?.[scenario]?.[other]);
  const slow = figures.slow;
  const fifty = slow?.fifty?.ours;
  const calls = figures.gateway?.["Q3v-100"]?.ours?.restCalls;
  const slowRows = ["ours-alone", "ours"].flatMap((name) => {
    const one = slow?.single?.[name];
    const how = name === "ours" ? "with coalescing" : "without coalescing";
    return [
      atLeast(
        `20 ms upstream, Q1 ${how}: of the load tool straight at it`,
        0.93,
        throughputRatio(one, slow?.straight),
      ),
      below(
        `the same, p99 above it`,
        6,
        "ms",
        compareRounds(one, slow?.straight, (a, b) => a.p99Ms - b.p99Ms),
        1,
      ),
    ];
  });
  return [
    ...["Q1", "Q2"].flatMap((scenario) => [
      atLeast(`${scenario}, no coalescing: of the bare proxy`, 1, ratio(scenario, "ours-alone", "bare")),
      atLeast(`${scenario}, no coalescing: of Tailcall`, 0.8, ratio(scenario, "ours-alone", "tailcall")),
    ]),
    atLeast("Q3v, no coalescing, no lists: of Tailcall", 1.4, ratio("Q3v", "ours-plain", "tailcall")),
    atLeast("Q3v, directory of 100: of Tailcall with dedupe", 4, ratio("Q3v-100", "ours", "tailcall-dedupe")),
    {
      what: "the same, REST calls for each operation",
      target: "1 or 2",
      measured: calls === undefined ? "not measured" : calls.toFixed(2),
      // Operations of one caller in flight at once share the call: below 1 is better still.
      reached: calls === undefined ? null : calls <= 2,
    },
    atLeast("Q4, no coalescing: of Tailcall", 6, ratio("Q4", "ours-alone", "tailcall")),
    atLeast("Q1, same operation: of Tailcall with dedupe", 0.5, ratio("Q1", "ours", "tailcall-dedupe")),
    atLeast("Q3, same operation: of Tailcall with dedupe", 1, ratio("Q3", "ours", "tailcall-dedupe")),
    ...slowRows,
    below("20 ms upstream, 50 ids of 100 rows, 1 client: p50", 30, "ms", fifty?.p50Ms ?? Number.NaN, 1),
    {
      what: "the same, REST calls for each operation",
      target: "1",
      measured: fifty ? fifty.restCalls.toFixed(2) : "not measured",
      reached: fifty ? fifty.restCalls < 1.05 : null,
    },
    below(
      "cold start to the first answer",
      0.6,
      "s",
      (figures.footprint?.ours?.startMs ?? Number.NaN) / 1000,
      2,
    ),
    below("memory idle", 110, "MiB", figures.footprint?.ours?.idleMib ?? Number.NaN),
    below("memory after load", 300, "MiB", figures.loadedMib?.ours ?? Number.NaN),
  ];
}
