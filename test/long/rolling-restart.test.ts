import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { temporaryFile, tool } from "../deploy/tools.ts";
import { freePort } from "../federation/support/processes.ts";
import { buildCli, startCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startLoad } from "./load.ts";

const RESTARTS = 6;
/** More than the check below needs to see a server up again. */
const SEEN_AGAIN_MS = 1000;

beforeAll(buildCli);

/** Balancers in front of replicas on this machine: what each is told to listen on `front`, and how it is started. */
const balancers = {
  haproxy: { config: haproxyConfig, argv: ["-db", "-f"] },
  nginx: { config: nginxConfig, argv: ["-c"] },
};

test.each(["haproxy", "nginx"] as const)(
  "a rolling restart of two behind %s loses no request",
  async (name) => {
    const authentik = await startFakeAuthentik({
      answer: async (_request, _response, fallback) => {
        await sleep(20);
        fallback();
      },
    });
    onTestFinished(() => authentik.close());
    const env = { AUTHENTIK_URL: authentik.url.href, LOG_LEVEL: "warn" };
    const gateways = [0, 0].map((port) => startCli(["--port", String(port)], env));
    const ports = await Promise.all(gateways.map(async ({ url }) => Number(new URL(await url()).port)));
    const front = await startBalancer(name, ports);

    const load = startLoad(front, {
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

/** As the README recommends: the check waits longer than a busy gateway needs, and fails within the grace. */
function haproxyConfig(front: number, ports: readonly number[]): string {
  const servers = ports.map(
    (port, index) => `  server gateway${index} 127.0.0.1:${port} check inter 200ms fall 2 rise 1`,
  );
  return `
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 2s
frontend front
  bind 127.0.0.1:${front}
  default_backend gateways
backend gateways
  option httpchk GET /readyz
  option redispatch
${servers.join("\n")}
`;
}

/**
 * As docs/operating.md recommends. nginx checks nobody by itself: it learns that a replica is gone from a connection
 * that fails, and asks the next one. It repeats a POST only if nothing of it was sent, or where `non_idempotent` allows
 * it: without that the requests that a closing replica had not read yet end as 502. Repeating is safe here, as deleting
 * twice leaves what deleting once does.
 */
function nginxConfig(front: number, ports: readonly number[]): string {
  const folder = temporaryFolder();
  const servers = ports.map((port) => `    server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`);
  return `
daemon off;
pid ${folder}/nginx.pid;
error_log stderr crit;
worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  upstream gateways {
${servers.join("\n")}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${front};
    location / {
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_connect_timeout 2s;
      proxy_next_upstream error timeout non_idempotent;
    }
  }
}
`;
}

async function startBalancer(name: keyof typeof balancers, ports: readonly number[]): Promise<URL> {
  const { config, argv } = balancers[name];
  const front = await freePort();
  const file = temporaryFile(`${name}.conf`, config(front, ports));
  const child = spawn(tool(name), [...argv, file], { stdio: "inherit" });
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
