/** Which figures the chart shows. */
import { short } from "./markdown.mjs";
import { bars, curves, page } from "./svg.mjs";

const byValue = (list) =>
  list.filter(({ value }) => Number.isFinite(value)).sort((a, b) => b.value - a.value);

function fiftyPanel({ fiftyIds, labels }) {
  return bars({
    title: "A page of 50 connections, from a server as slow as authentik",
    note: "Operations a second, more is better · 50 random ids of 100, administrator, 4 clients, 2 workers of 33 ms",
    bars: byValue(
      Object.entries(fiftyIds).map(
        ([
          name,
          {
            administrator: { perSecond },
          },
        ]) => ({
          name,
          label: labels[name],
          value: perSecond,
          shown: `${short(perSecond)}/s`,
        }),
      ),
    ),
  });
}

function personPanel({ fiftyIds, labels }) {
  return bars({
    title: "The same page for a person who may see 3 rows",
    note: "Operations a second, more is better",
    bars: byValue(
      Object.entries(fiftyIds).map(
        ([
          name,
          {
            person: { perSecond },
          },
        ]) => ({
          name,
          label: labels[name],
          value: perSecond,
          shown: `${short(perSecond)}/s`,
        }),
      ),
    ),
  });
}

function ownPanel({ gateway, labels }) {
  return bars({
    title: "The gateway's own speed: all 22 fields of one connection",
    note: "Operations a second on one core, more is better · 64 connections, a fast upstream, ids cycling over 1,000",
    bars: byValue(
      Object.entries(gateway.Q2)
        .filter(([name]) => name !== "ours-plain" && name !== "ours-alone")
        .map(([name, { perSecond }]) => ({
          name,
          label: labels[name],
          value: perSecond,
          shown: `${short(perSecond)}/s`,
        })),
    ),
  });
}

const SHORT_LABELS = {
  ours: "authentik-graphql",
  naive: "graphql-yoga",
  tailcall: "Tailcall",
  "tailcall-dedupe": "Tailcall, dedupe",
};

function series(points, value) {
  return [...new Set(points.map(({ contender }) => contender))].map((name) => ({
    name,
    label: SHORT_LABELS[name] ?? name,
    dashed: name === "tailcall",
    points: points
      .filter((point) => point.contender === name && value(point) > 0)
      .map((point) => [point.x, value(point)]),
  }));
}

/** @param {any} figures @returns {string} an SVG document */
export function toChart(figures) {
  const panels = [];
  if (figures.fiftyIds) panels.push(fiftyPanel(figures), personPanel(figures));
  if (figures.gateway) panels.push(ownPanel(figures));
  if (figures.growDirectory)
    panels.push(
      curves({
        title: "Time of a page of 50 connections as the directory grows",
        note: "Milliseconds, less is better · administrator, one client, two workers of authentik's speed",
        xLabel: "rows in the directory",
        series: series(figures.growDirectory, ({ p50Ms }) => p50Ms),
      }),
    );
  if (figures.growIds)
    panels.push(
      curves({
        title: "What an operation costs authentik as it asks for more",
        note: "Milliseconds of a worker, less is better · directory of 1,000 rows",
        xLabel: "ids in one operation",
        series: series(figures.growIds, ({ costMs }) => costMs),
      }),
    );
  if (figures.growClients)
    panels.push(
      curves({
        title: "Throughput as clients come",
        note: "Operations a second on one core, more is better · all 22 fields of one connection",
        xLabel: "connections",
        series: series(figures.growClients, ({ perSecond }) => perSecond),
      }),
    );
  return page(
    panels,
    "Throughput and cost of authentik-graphql beside other GraphQL gateways over the same REST API",
  );
}
