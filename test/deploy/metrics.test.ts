import { spawn } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parse, stringify } from "yaml";
import { freePort } from "../federation/support/processes.ts";
import { ask, buildCli, startCli } from "../process/cli.ts";
import { lacks, root, run, temporaryFile, tool } from "./tools.ts";

interface Panel {
  title: string;
  description?: string;
  type: string;
  targets?: { expr: string }[];
}

const dashboard = readFileSync(`${root}deploy/grafana/dashboard.json`, "utf8");
const { panels } = JSON.parse(dashboard) as { panels: Panel[] }; // Grafana's model, of which the tests hold this part
const charts = panels.filter(({ type }) => type !== "row");
const ruleFile = `${root}deploy/kubernetes/components/monitoring/prometheus-rule.yaml`;
const { spec: rules } = parse(readFileSync(ruleFile, "utf8")) as { spec: unknown }; // promtool checks its shape
/** Told in service mode only. */
const SERVICE_MODE = ["authentik_graphql_service_credentials_valid"];

beforeAll(buildCli);

describe("deploy/grafana/dashboard.json", () => {
  it("has a question above each panel and says below it what the answer means", () => {
    const wrong = charts.filter(
      ({ title, description = "" }) => !title.endsWith("?") || !description.endsWith("."),
    );
    expect(wrong.map(({ title }) => title)).toEqual([]);
  });
});

describe("the dashboard and the alerts", () => {
  it("ask only for metrics that the gateway has", async () => {
    const text = await (await fetch(await startGateway())).text();
    const existing = new Set(
      [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]).concat(SERVICE_MODE),
    );
    const asked = [...(dashboard + JSON.stringify(rules)).matchAll(/authentik_graphql_\w+/g)].map(([name]) =>
      name.replace(/_(bucket|count|sum)$/, ""),
    );
    expect([...new Set(asked)].filter((name) => !existing.has(name))).toEqual([]);
  });
});

describe.skipIf(lacks("prometheus"))("every query of the dashboard", () => {
  it("is answered by a Prometheus that scrapes the gateway", async () => {
    const prometheus = await startPrometheus(new URL(await startGateway()).host);
    for (const { title, targets = [] } of charts) {
      for (const { expr } of targets) {
        const query = expr.replaceAll(/\$job|\$instance/g, ".*").replaceAll("$__rate_interval", "10s");
        const search = new URLSearchParams({ query }).toString();
        const response = await fetch(`${prometheus}/api/v1/query?${search}`);
        expect({ title, query, answer: await response.json() }).toMatchObject({
          answer: { status: "success" },
        });
      }
    }
  }, 60_000);
});

describe.skipIf(lacks("promtool"))("the alerts", () => {
  it("are raised when they should be, and not before", async () => {
    const rulesFile = temporaryFile("rules.yaml", stringify(rules));
    const tests = join(dirname(rulesFile), "alerts.yaml");
    cpSync(`${root}test/deploy/alerts.promtool.yaml`, tests);
    expect(await run("promtool", "check", "rules", rulesFile)).toContain("SUCCESS");
    expect(await run("promtool", "test", "rules", tests)).toContain("SUCCESS");
  });
});

/** Returns the URL of its metrics, once it has answered an operation and refused another. */
async function startGateway(): Promise<string> {
  const url = await startCli(["--port", "0", "--log-level", "warn"]).url();
  await ask(url, "{ plexConnection(id: 5) { pk } }");
  await ask(url, "{ plexConnection(id: 5) { pk } }", { authorization: "Bearer expired-token-of-alice" });
  return new URL("/metrics", url).href;
}

/** Returns its URL, once it has scraped the target twice. */
async function startPrometheus(target: string): Promise<string> {
  const configuration = {
    global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
    scrape_configs: [{ job_name: "gateway", static_configs: [{ targets: [target] }] }],
  };
  const file = temporaryFile("prometheus.yaml", stringify(configuration));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    tool("prometheus"),
    [`--config.file=${file}`, `--storage.tsdb.path=${dirname(file)}/data`, `--web.listen-address=${address}`],
    { stdio: "ignore" },
  );
  const exited = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const scraped = async (): Promise<string> => {
    const query = new URLSearchParams({ query: "count_over_time(authentik_graphql_build_info[1m]) >= 2" });
    return fetch(`http://${address}/api/v1/query?${query.toString()}`).then(
      (response) => response.text(),
      () => "",
    );
  };
  await expect.poll(scraped, { timeout: 30_000 }).toContain('"instance"');
  return `http://${address}`;
}
