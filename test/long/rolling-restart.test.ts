import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { buildCli, startCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startLoad } from "./load.ts";

const RESTARTS = 6;
/** More than the check below needs to see a server up again. */
const SEEN_AGAIN_MS = 1000;

beforeAll(buildCli);

/** A balancer in front of replicas on this machine. */
interface Balancer {
  /** Debian's package. */
  readonly install: string;
  /** Its configuration: listens on `front`, keeps what it writes in `folder`. */
  readonly config: (front: number, ports: readonly number[], folder: string) => string;
  /** What its program, in the foreground, is told. */
  readonly argv: (configFile: string) => readonly string[];
}

const balancers: Readonly<Record<string, Balancer>> = {
  haproxy: { install: "haproxy", config: haproxyConfig, argv: (file) => ["-db", "-f", file] },
  nginx: { install: "nginx-light", config: nginxConfig, argv: (file) => ["-c", file] },
};

test.each(Object.keys(balancers))("a rolling restart of two behind %s loses no request", async (name) => {
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
    body: (index) => JSON.stringify({ query: `{ plexConnection(id: ${(index % 50) + 1}) { pk } }` }),
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
  console.log(`${load.sent()} requests over ${RESTARTS} restarts`, Object.fromEntries(statuses));
  expect(Object.fromEntries(failures)).toEqual({});
  expect([...statuses.keys()]).toEqual([200]);
  expect(load.sent()).toBeGreaterThan(1000);
});

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
function nginxConfig(front: number, ports: readonly number[], folder: string): string {
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

async function startBalancer(name: string, ports: readonly number[]): Promise<URL> {
  const { install, config, argv } = balancers[name] ?? { install: name, config: () => "", argv: () => [] };
  const program = [`/usr/sbin/${name}`, name].find((path) => spawnSync(path, ["-v"]).status === 0);
  if (program === undefined) throw new Error(`needs ${name}: on Debian, \`apt-get install ${install}\``);
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  const file = join(folder, `${name}.conf`);
  const front = await freePort();
  writeFileSync(file, config(front, ports, folder));
  const child = spawn(program, argv(file), { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
  onTestFinished(async () => {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  const url = new URL(`http://127.0.0.1:${front}/graphql`);
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await expect.poll(answers, { timeout: 10_000, message: words }).toBe(true);
  // Servers count as up until a check says otherwise: let each be checked once.
  await sleep(500);
  return url;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
