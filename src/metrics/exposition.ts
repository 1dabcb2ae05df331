import { families, type Family, type FamilyKey, type MetricsSnapshot } from "./families.ts";

/** Content type of Prometheus' text format. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The values of several processes as one: summed up, or the largest, as each family says. */
export function combineSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const combined: Partial<Record<FamilyKey, Record<string, number>>> = {};
  for (const [key, family] of familyEntries()) {
    for (const [suffix, value] of snapshots.flatMap((snapshot) => Object.entries(snapshot[key] ?? {}))) {
      const series = (combined[key] ??= {});
      const before = series[suffix];
      if (before === undefined) series[suffix] = value;
      else series[suffix] = family.combine === "sum" ? before + value : Math.max(before, value);
    }
  }
  return combined;
}

/**
 * The values in Prometheus' text format, version 0.0.4.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function expose(snapshot: MetricsSnapshot): string {
  return familyEntries()
    .map(([key, { name, kind, help }]) => {
      const lines = Object.entries(snapshot[key] ?? {}).map(
        ([suffix, value]) => `${name}${suffix} ${value}\n`,
      );
      return lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
    })
    .join("");
}

function familyEntries(): [FamilyKey, Family][] {
  return Object.keys(families)
    .filter((key): key is FamilyKey => key in families)
    .map((key) => [key, families[key]]);
}
