import { cpSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { parse, stringify } from "yaml";
import { freePort } from "../federation/support/processes.ts";
import { buildCli, startCli, startProcess } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { lacks, root, run, temporaryFile, tool } from "./tools.ts";

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const dashboard = readFileSync(`${root}deploy/grafana/dashboard.json`, "utf8");
const { panels } = JSON.parse(dashboard) as { panels: Panel[] }; // Grafana's model, of which the tests hold this part
const ruleFile = `${root}deploy/kubernetes/components/monitoring/prometheus-rule.yaml`;
const { spec: rules } = parse(readFileSync(ruleFile, "utf8")) as { spec: unknown }; // promtool checks its shape

beforeAll(buildCli);

test("the dashboard and the alerts ask only for metrics that the gateway has", async () => {
  const text = await (await fetch(await startGateway())).text();
  const existing = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  // Told in service mode only.
  existing.push("authentik_graphql_service_credentials_valid");
  const asked = (dashboard + JSON.stringify(rules)).matchAll(/authentik_graphql_\w+/g);
  for (const [name] of asked) expect(existing).toContain(name.replace(/_(bucket|count|sum)$/, ""));
});

test.skipIf(lacks("prometheus"))(
  "every query of the dashboard is answered by a Prometheus that scrapes the gateway",
  async () => {
    const askPrometheus = await startPrometheus((await startGateway()).host);
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const query = expr.replaceAll(/\$job|\$instance/g, ".*").replaceAll("$__rate_interval", "10s");
        expect({ title, query, answer: await askPrometheus(query) }).toMatchObject({
          answer: { status: "success" },
        });
      }
    }
  },
  60_000,
);

test.skipIf(lacks("promtool"))("the alerts are raised when they should be, and not before", async () => {
  const rulesFile = temporaryFile("rules.yaml", stringify(rules));
  const tests = join(dirname(rulesFile), "alerts.yaml");
  cpSync(`${root}test/deploy/alerts.promtool.yaml`, tests);
  expect(await run("promtool", "check", "rules", rulesFile)).toContain("SUCCESS");
  expect(await run("promtool", "test", "rules", tests)).toContain("SUCCESS");
});

/** Returns the URL of its metrics, once it has answered an operation and refused another. */
async function startGateway(): Promise<URL> {
  const url = await startCli(["--port", "0", "--log-level", "warn"]).url();
  await ask(url, "{ plexConnection(id: 5) { pk } }");
  await ask(url, "{ plexConnection(id: 5) { pk } }", { authorization: "Bearer expired-token-of-alice" });
  return new URL("/metrics", url);
}

/** Returns what answers queries, once it has scraped the target twice. */
async function startPrometheus(target: string): Promise<(query: string) => Promise<unknown>> {
  const configuration = {
    global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
    scrape_configs: [{ job_name: "gateway", static_configs: [{ targets: [target] }] }],
  };
  const file = temporaryFile("prometheus.yaml", stringify(configuration));
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [
    `config.file=${file}`,
    `storage.tsdb.path=${dirname(file)}/data`,
    `web.listen-address=${address}`,
  ];
  onTestFinished(
    startProcess(
      tool("prometheus"),
      flags.map((flag) => `--${flag}`),
    ).stop,
  );
  const askPrometheus = async (query: string): Promise<unknown> =>
    (await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`)).json();
  const scraped = () =>
    askPrometheus("count_over_time(authentik_graphql_build_info[1m]) >= 2").catch(() => null);
  await expect
    .poll(scraped, { timeout: 30_000 })
    .toMatchObject({ data: { result: [{ metric: { job: "gateway" } }] } });
  return askPrometheus;
}
