/** Which figures the chart shows. */
import { short } from "./markdown.mjs";
import { bars, curves, page } from "./svg.mjs";

const SHORT_LABELS = { ours: "authentik-graphql", naive: "graphql-yoga" };

/** @param {Record<string, number>} values by contender @param {"most" | "least"} first */
function sorted(values, labels, { first, unit }) {
  return Object.entries(values)
    .filter(([, value]) => Number.isFinite(value))
    .sort(([, a], [, b]) => (first === "most" ? b - a : a - b))
    .map(([name, value]) => ({ name, label: labels[name] ?? name, value, shown: `${short(value)}${unit}` }));
}

const pick = (by, figure) => Object.fromEntries(Object.entries(by).map(([name, one]) => [name, one[figure]]));

/** Ours and plain yoga over the rows there are. */
const series = (points, figure) =>
  Object.entries(SHORT_LABELS).map(([name, label]) => ({
    name,
    label,
    points: points.filter(({ contender }) => contender === name).map((point) => [point.x, point[figure]]),
  }));

/** @param {any} figures @returns {string} an SVG document */
export function toChart({ rows, questions, speed, labels }) {
  const panels = [];
  if (rows) {
    const xLabel = "rows in the directory";
    const note =
      "50 connections in one operation, one client, two workers of authentik's speed · less is better";
    panels.push(
      curves({
        title: "How long a page of 50 connections takes, ms",
        note,
        xLabel,
        series: series(rows, "p50Ms"),
      }),
      curves({
        title: "What it costs authentik, ms of a worker",
        note,
        xLabel,
        series: series(rows, "costMs"),
      }),
    );
  }
  if (questions)
    panels.push(
      bars({
        title: "All links of a source with the names of their owners, 100 of 250",
        note: "Milliseconds, less is better · one client, two workers of authentik's speed",
        bars: sorted(pick(questions.links, "p50Ms"), labels, { first: "least", unit: " ms" }),
      }),
    );
  if (speed)
    for (const [row, what] of [
      ["one", "one field"],
      ["all", "all 22 fields"],
    ])
      panels.push(
        bars({
          title: `The gateway's own speed: ${what} of one connection`,
          note: "Operations a second on one core, more is better · 200 callers, 64 connections, a fast upstream",
          bars: sorted(pick(speed[row], "perSecond"), labels, { first: "most", unit: "/s" }),
        }),
      );
  return page(
    panels,
    "Latency, cost and throughput of authentik-graphql beside other GraphQL servers over one REST API",
  );
}
