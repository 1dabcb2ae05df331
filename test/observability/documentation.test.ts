import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openLogFile } from "./support/log-file.ts";
import { answered, elsewhere, eventful } from "./support/records.ts";
import { scrapeText, serveMetrics } from "./support/scrape.ts";

const page = readFileSync(new URL("../../docs/operating.md", import.meta.url), "utf8");

/** The rows of a table between two markers, without its head. */
function tableOf(name: string): string[][] {
  const text = new RegExp(`<!-- ${name}:start -->\n\n([^]*?)\n\n<!-- ${name}:end -->`).exec(page)?.[1] ?? "";
  const rows = text.split("\n").map((line) => line.split("|").slice(1, -1));
  return rows.slice(2).map((cells) => cells.map((cell) => cell.trim().replace(/^`([^`]+)`$/, "$1")));
}

describe("docs/operating.md", () => {
  test("has every field of a request's line and no other, and says which are always there", async () => {
    const { logRequest, lines } = await openLogFile();
    for (const record of [eventful, answered, elsewhere]) logRequest(record);
    const [most = {}, ...others] = await lines();
    const rows = tableOf("request-line");
    expect(new Set(rows.map(([field]) => field))).toEqual(new Set(Object.keys(most)));
    const documented = rows.filter(([, there]) => there === "always").map(([field]) => field);
    const always = Object.keys(most).filter((field) => others.every((line) => field in line));
    expect(new Set(documented)).toEqual(new Set(always));
  });

  test("has every metric with its kind, labels and meaning", async () => {
    const { metrics, url } = await serveMetrics({ serviceCredentialsValid: () => true });
    metrics.record(eventful);
    metrics.record(elsewhere);
    metrics.observeUpstreamRequest({ route: "/a/{id}/", outcome: "ok", durationMs: 1 });
    expect(tableOf("metrics")).toEqual(describedBy(await scrapeText(url)));
  });
});

/** Name, kind, labels and help of each metric, as a scraper reads them. */
function describedBy(exposition: string): string[][] {
  return [...exposition.matchAll(/^# HELP (\S+) (.+)\n# TYPE \S+ (\S+)\n([^#]*)/gm)].map(
    ([, name = "", help = "", kind = "", samples = ""]) => {
      const labels = new Set([...samples.matchAll(/[{,](\w+)="/g)].map(([, label = ""]) => label));
      labels.delete("le");
      return [name, kind, [...labels].join(", "), help];
    },
  );
}
