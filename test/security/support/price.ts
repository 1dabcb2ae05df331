import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ServerProcess } from "./child.ts";
import { START_FLAGS, startGatewayProcess } from "./gateway-process.ts";

/** What a process has cost so far. */
interface Cost {
  /** CPU until it was asked, in milliseconds, and until it had measured. */
  spentMs: number;
  measuredMs: number;
  /** Heap and buffers, garbage collected. */
  heldBytes: number;
}

/** What an attack has cost the process that was attacked. */
export interface Price {
  cpuMs: number;
  heldBytes: number;
  sentBytes: number;
  /** How much later `/healthz` answers beside it than before, in milliseconds: 99th percentile. */
  healthMs: number;
}

/** An attack as it goes on: sends, and may leave connections open until it was measured. */
export interface Attack {
  readonly url: URL;
  /** Opens a connection that nobody reads, unless `read`, and writes these bytes. */
  /** Counts what somebody else sends for the attack. */
  readonly alsoSent: (bytes: number) => void;
  readonly connect: (bytes?: string | Buffer, options?: { read?: boolean }) => Socket;
}

/** The built gateway in a process that tells what it costs. */
export async function startMeasuredGateway(
  authentikUrl: URL,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const probe = fileURLToPath(new URL("memory-probe.mjs", import.meta.url));
  return startGatewayProcess(authentikUrl, {
    nodeFlags: [...START_FLAGS, "--expose-gc", "--import", probe],
    env: { LOG_LEVEL: "info", LOG_FORMAT: "json", ...env },
  });
}

/** Attacks, and measures while the attack's connections are still open. */
export async function priceOf(
  gateway: ServerProcess,
  run: (attack: Attack) => Promise<void>,
): Promise<Price> {
  const sockets: Socket[] = [];
  let otherBytes = 0;
  // What comes late while nothing happens is the machine's doing: tests share it.
  const idle = await healthUntil(gateway, sleep(IDLE_MS));
  const before = await costOf(gateway);
  const attack: Attack = {
    url: gateway.url,
    alsoSent: (bytes) => void (otherBytes += bytes),
    connect(bytes = "", { read = false } = {}) {
      const socket = connect({ port: Number(gateway.url.port), host: gateway.url.hostname });
      socket.on("error", () => {});
      if (read) socket.resume();
      socket.write(bytes);
      sockets.push(socket);
      return socket;
    },
  };
  const running = run(attack);
  const health = await healthUntil(gateway, running);
  await running;
  const after = await costOf(gateway);
  for (const socket of sockets) socket.destroy();
  return {
    sentBytes: sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, otherBytes),
    heldBytes: after.heldBytes - before.heldBytes,
    cpuMs: after.spentMs - before.measuredMs - health.length * HEALTH_CPU_MS,
    healthMs: (health.sort((a, b) => a - b)[Math.floor(health.length * 0.99)] ?? 0) - Math.max(...idle),
  };
}

/** CPU that one probe of `/healthz` takes, client and garbage included. */
const HEALTH_CPU_MS = 1;
const HEALTH_INTERVAL_MS = 20;
const IDLE_MS = 300;

async function healthUntil(gateway: ServerProcess, until: Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  const ended = until.then(() => true);
  for (let over = false; !over;) {
    const started = performance.now();
    await (await fetch(new URL("/healthz", gateway.url))).arrayBuffer();
    times.push(performance.now() - started);
    over = await Promise.race([ended, sleep(HEALTH_INTERVAL_MS, false)]);
  }
  return times;
}

/** Asks the process; the answer comes with its log. */
async function costOf(gateway: ServerProcess): Promise<Cost> {
  const asked = gateway.output().length;
  gateway.child.kill("SIGUSR2");
  for (;;) {
    const answer = /probe (\{.*\})\n/.exec(gateway.output().slice(asked))?.[1];
    if (answer !== undefined) return JSON.parse(answer) as Cost;
    await sleep(5);
  }
}
