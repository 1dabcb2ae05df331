import { writeFileSync } from "node:fs";
import { toChart } from "./chart.mjs";
import { toMarkdown } from "./markdown.mjs";

const file = (name) => new URL(`../${name}`, import.meta.url);

/**
 * Writes results.md and results.svg.
 * @param {any} figures what main.mjs gathered
 */
export function writeReport(figures) {
  writeFileSync(file("results.md"), toMarkdown(figures));
  writeFileSync(file("results.svg"), toChart(figures));
}
