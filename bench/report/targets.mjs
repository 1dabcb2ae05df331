/** The project's own targets, each held against the figures of one run. */
import { NEIGHBOURS } from "../measure/queue.mjs";
import { ratioOf } from "../measure/sample.mjs";
import { ROWS } from "../measure/speed.mjs";

/**
 * @typedef {object} Verdict
 * @property {string} what
 * @property {string} target
 * @property {string} measured
 * @property {boolean | null} reached null: not measured in this run
 */

const times = (value) => `${value.toFixed(2)}x`;

/**
 * @param {string} what
 * @param {{ atLeast?: number, atMost?: number, shown?: (value: number) => string }} bounds
 * @param {number | undefined} value
 * @returns {Verdict}
 */
function verdict(what, { atLeast = -Infinity, atMost = Infinity, shown = times }, value = Number.NaN) {
  return {
    what,
    target: Number.isFinite(atLeast) ? `at least ${shown(atLeast)}` : `at most ${shown(atMost)}`,
    measured: Number.isNaN(value) ? "not measured" : shown(value),
    reached: Number.isNaN(value) ? null : value >= atLeast && value <= atMost,
  };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const unit =
  (name, digits = 0) =>
  (value) =>
    `${value.toFixed(digits)} ${name}`;

/** @param {any} figures @returns {any[]} the cells that did not fail, with their ratio to hindsight */
export function costRatios({ cost = [] }) {
  return cost
    .filter(({ failed }) => !failed)
    .map((cell) => ({ ...cell, ratio: cell.costMs / cell.hindsightMs }));
}

/** @param {any} figures @returns {Verdict[]} */
function speedTargets({ speed = {}, chunks = {}, footprint = {} }) {
  const of = (row, peer) => ratioOf(speed[row]?.ours, speed[row]?.[peer]);
  return [
    ...["one", "all"].flatMap((row) => [
      verdict(`${ROWS[row].title}: of the bare proxy`, { atLeast: 0.75 }, of(row, "bare")),
      verdict("the same: of mercurius + jit", { atLeast: 1 }, of(row, "mercurius")),
    ]),
    verdict(
      "same operation from 64 clients of one caller: of the bare proxy",
      { atLeast: 1.5 },
      of("same", "bare"),
    ),
    verdict("50 random ids of 100 rows: of the bare proxy", { atLeast: 6 }, of("fifty", "bare")),
    verdict(
      "upstream in chunks: of the same with a length",
      { atLeast: 0.9 },
      ratioOf(chunks["ours chunks"], chunks["ours length"]),
    ),
    verdict(
      "cold start to the first answer",
      { atMost: 0.6, shown: unit("s", 2) },
      footprint.ours?.startMs / 1000,
    ),
    verdict("memory idle", { atMost: 120, shown: unit("MiB") }, footprint.ours?.idleMib),
    verdict("memory after load", { atMost: 250, shown: unit("MiB") }, footprint.ours?.loadedMib),
  ];
}

/** Latency of 50 ids, ours of plain yoga's, by rows. @param {any} figures */
export function fiftyRatios({ rows = [] }) {
  const at = (x, name) => rows.find((point) => point.x === x && point.contender === name);
  return rows
    .filter(({ contender, x }) => contender === "ours" && at(x, "naive"))
    .map((point) => ({ x: point.x, ratio: point.p50Ms / at(point.x, "naive").p50Ms }));
}

const worst = (values) => (values.length ? Math.max(...values) : Number.NaN);

/** @param {any} figures @returns {Verdict[]} */
function queueTargets(figures) {
  const { neighbours = {}, singles, unlimited } = figures;
  const fifty = fiftyRatios(figures);
  const few = fifty.filter(({ x }) => x <= 100);
  const ratios = costRatios(figures).map(({ ratio }) => ratio);
  const failed = (figures.cost ?? []).length - ratios.length;
  const besides = (name, atMost, figure = "p50Ms") =>
    verdict(
      `${NEIGHBOURS[name].title}: ${figure.slice(0, 3)}, of alone`,
      { atMost },
      neighbours[name]?.beside[figure] / neighbours[name]?.alone[figure],
    );
  return [
    verdict(
      "50 ids of 10 to 10,000 rows: latency, of plain yoga's, worst",
      { atMost: 1.1 },
      worst(fifty.map(({ ratio }) => ratio)),
    ),
    verdict("the same at 10, 30 and 100 rows, worst", { atMost: 0.5 }, worst(few.map(({ ratio }) => ratio))),
    besides("readers", 1.5),
    besides("invalid", 1.5),
    besides("spelled", 3),
    besides("madeUp", 3),
    besides("fiveHundred", 3, "p95Ms"),
    verdict(
      "64 single retrievers, two workers: of their best",
      { atLeast: 0.95 },
      singles?.perSecond / singles?.best,
    ),
    verdict("the same: in flight", { atMost: 12, shown: String }, singles?.inFlight.p50),
    verdict(
      "unlimited workers, 20 ms, 128 clients: past 60 in flight",
      { atMost: 5, shown: (value) => (value === Infinity ? "never" : unit("s", 1)(value)) },
      unlimited && (unlimited.pastSeconds ?? Infinity),
    ),
    verdict("cost to authentik over the grid, mean", { atMost: 1.05 }, mean(ratios)),
    verdict(
      `the same, worst${failed ? ` (${failed} operations failed)` : ""}`,
      { atMost: 1.3 },
      worst(ratios),
    ),
  ];
}

/** Only a page can be had in fewer steps than everybody takes for it. @param {any} figures @returns {Verdict[]} */
function questionTargets({ questions = {} }) {
  return Object.entries(questions).flatMap(([question, { ours = {}, ...peers }]) => {
    const best = (figure) => Math.min(...Object.values(peers).map((one) => one[figure] ?? Infinity));
    const [calls, latency] = question === "links" ? [3, 0.5] : [best("calls"), 1.1];
    return [
      verdict(`${question}: calls to authentik`, { atMost: calls, shown: String }, ours.calls),
      verdict("the same: latency, of the best peer's", { atMost: latency }, ours.p50Ms / best("p50Ms")),
    ];
  });
}

/** @param {any} figures @returns {Record<string, Verdict[]>} */
export function targetsByPart(figures) {
  return {
    "Speed of our own": speedTargets(figures),
    "One queue": queueTargets(figures),
    Questions: questionTargets(figures),
  };
}

/** @param {any} figures @returns {Verdict[]} */
export const allTargets = (figures) => Object.values(targetsByPart(figures)).flat();
