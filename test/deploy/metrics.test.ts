import { cpSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { scrapeText } from "../observability/support/scrape.ts";
import { buildCli, startCli } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { lacks, root, run, temporaryFile } from "./tools.ts";

const dashboard = readFileSync(`${root}deploy/grafana/dashboard.json`, "utf8");
const { panels }: { panels: { targets?: { expr: string }[] }[] } = JSON.parse(dashboard);
const ruleFile = `${root}deploy/kubernetes/components/monitoring/prometheus-rule.yaml`;
const { spec: rules } = parse(readFileSync(ruleFile, "utf8")) as { spec: unknown }; // promtool checks its shape

beforeAll(buildCli);

test("the dashboard and the alerts ask only for metrics that the gateway has", async () => {
  const url = await startCli(["--port=0"]).url();
  await ask(url, "{ plexConnection(id: 5) { pk } }");
  await ask(url, "{ plexConnection(id: 5) { pk } }", { authorization: "Bearer expired-token-of-alice" });
  const existing = [...(await scrapeText(url)).matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  // Told in service mode only.
  existing.push("authentik_graphql_service_credentials_valid");
  const asked = (dashboard + JSON.stringify(rules)).matchAll(/authentik_graphql_\w+/g);
  for (const [name] of asked) expect(existing).toContain(name.replace(/_(bucket|count|sum)$/, ""));
});

describe.skipIf(lacks("promtool"))("promtool", () => {
  test("reads every query of the dashboard", async () => {
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const asRules = queries.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll(/\$job|\$instance/g, ".*").replaceAll("$__rate_interval", "1m"),
    }));
    const file = temporaryFile(
      "dashboard.yaml",
      stringify({ groups: [{ name: "dashboard", rules: asRules }] }),
    );
    expect(await run("promtool", "check", "rules", file)).toContain(`${queries.length} rules found`);
  });

  test("finds that the alerts are raised when they should be, and not before", async () => {
    const rulesFile = temporaryFile("rules.yaml", stringify(rules));
    const tests = join(dirname(rulesFile), "alerts.yaml");
    cpSync(`${root}test/deploy/alerts.promtool.yaml`, tests);
    expect(await run("promtool", "check", "rules", rulesFile)).toContain("SUCCESS");
    expect(await run("promtool", "test", "rules", tests)).toContain("SUCCESS");
  });
});
