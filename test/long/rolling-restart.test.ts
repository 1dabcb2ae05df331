import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { buildCli, type Cli, startCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startLoad } from "./load.ts";

const RESTARTS = 6;
/** More than the check below needs to see a server up again. */
const SEEN_AGAIN_MS = 1000;
const haproxy = ["/usr/sbin/haproxy", "haproxy"].find((path) => spawnSync(path, ["-v"]).status === 0);

beforeAll(buildCli);

test("a rolling restart of two behind haproxy loses no request", async () => {
  if (haproxy === undefined)
    throw new Error("this test needs haproxy: install it, on Debian with `apt-get install haproxy`");
  const authentik = await startFakeAuthentik({
    answer: async (_request, _response, fallback) => {
      await sleep(20);
      fallback();
    },
  });
  onTestFinished(() => authentik.close());
  const [front = 0, ...ports] = await freePorts(3);
  const start = async (port: number): Promise<Cli> => {
    const env = { AUTHENTIK_URL: authentik.url.href, LOG_LEVEL: "warn" };
    const cli = startCli(["--port", String(port)], env);
    await cli.url();
    return cli;
  };
  const gateways = await Promise.all(ports.map(start));
  await startHaproxy(haproxyConfig(front, ports), front);

  const load = startLoad(new URL(`http://127.0.0.1:${front}`), {
    clients: 20,
    body: (index) => JSON.stringify({ query: `{ plexConnection(id: ${(index % 50) + 1}) { pk } }` }),
  });
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    const which = restart % gateways.length;
    await sleep(SEEN_AGAIN_MS);
    gateways[which]?.kill("SIGTERM");
    expect(await gateways[which]?.exited).toBe(0);
    gateways[which] = await start(ports[which] ?? 0);
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

async function startHaproxy(config: string, port: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "haproxy-"));
  const file = join(folder, "haproxy.cfg");
  writeFileSync(file, config);
  const child = spawn(haproxy ?? "", ["-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  await expect.poll(() => listens(port), { timeout: 10_000, message: words }).toBe(true);
  // Servers count as up until a check says otherwise: let each be checked once.
  await sleep(500);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
