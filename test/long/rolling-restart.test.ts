import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { root, temporaryFile, tool } from "../deploy/tools.ts";
import { freePort } from "../federation/support/processes.ts";
import { buildCli, startCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startLoad } from "./load.ts";

const RESTARTS = 6;
/** More than the check below needs to see a server up again. */
const SEEN_AGAIN_MS = 1000;

beforeAll(buildCli);

const BALANCERS = {
  haproxy: { file: "haproxy.cfg", argv: ["-db", "-f"], toConfig: (recommended: string) => recommended },
  nginx: { file: "nginx.conf", argv: ["-c"], toConfig: nginxConfig },
};

test.each(["haproxy", "nginx"] as const)(
  "a rolling restart of two behind %s loses no request",
  async (name) => {
    const authentik = await startFakeAuthentik({
      answer: (_request, _response, fallback) => void setTimeout(fallback, 20),
    });
    onTestFinished(() => authentik.close());
    const env = { AUTHENTIK_URL: authentik.url.href, LOG_LEVEL: "warn" };
    const gateways = [0, 0].map((port) => startCli(["--port", String(port)], env));
    const ports = await Promise.all(gateways.map(async ({ url }) => Number(new URL(await url()).port)));
    const load = startLoad(await startBalancer(name, ports), {
      clients: 20,
      query: (index) => `{ plexConnection(id: ${(index % 50) + 1}) { pk } }`,
    });
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      const which = restart % gateways.length;
      await sleep(SEEN_AGAIN_MS);
      gateways[which]?.kill("SIGTERM");
      expect(await gateways[which]?.exited).toBe(0);
      gateways[which] = startCli(["--port", String(ports[which])], env);
      await gateways[which].url();
    }
    await sleep(SEEN_AGAIN_MS);
    const { statuses, failures } = await load.stop();
    console.log(`${load.sent()} requests over ${RESTARTS} restarts`, statuses);
    expect(failures).toEqual([]);
    expect(Object.keys(statuses)).toEqual(["200"]);
    expect(load.sent()).toBeGreaterThan(1000);
  },
);

/** Starts a balancer in front of replicas with the configuration that `deploy/balancers` has for it. */
async function startBalancer(name: keyof typeof BALANCERS, ports: readonly number[]): Promise<URL> {
  const { file, argv, toConfig } = BALANCERS[name];
  const front = await freePort();
  const recommended = readFileSync(`${root}deploy/balancers/${file}`, "utf8");
  const portOf = (_all: string, which: string) => `127.0.0.1:${[front, ...ports][Number(which)]}`;
  const config = toConfig(recommended.replaceAll(/127\.0\.0\.1:400(\d)/g, portOf));
  const child = spawn(tool(name), [...argv, temporaryFile(file, config)], { stdio: "inherit" });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  const url = new URL(`http://127.0.0.1:${front}/graphql`);
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await expect.poll(answers, { timeout: 10_000 }).toBe(true);
  // Servers count as up until a check says otherwise: let each be checked once.
  await sleep(500);
  return url;
}

/** What distributions have around `conf.d`, for nobody in particular. */
function nginxConfig(included: string): string {
  const folder = temporaryFolder();
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (of) => `${of}_temp_path ${folder};`,
  );
  return `daemon off; pid ${folder}/nginx.pid; error_log stderr crit; worker_processes 1;
    events { worker_connections 1024; } http { access_log off; ${paths.join(" ")} ${included} }`;
}
