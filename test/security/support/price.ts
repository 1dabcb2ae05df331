import { readFileSync } from "node:fs";
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
  /** The longest turn of the event loop since it was asked before, in milliseconds of CPU. */
  longestTurnMs: number;
  /** Heap and buffers, garbage collected. */
  heldBytes: number;
}

/** What an attack has cost the process that was attacked. */
export interface Price {
  cpuMs: number;
  heldBytes: number;
  sentBytes: number;
  /** How long others waited at most, in milliseconds of CPU: on a busy machine anybody waits. */
  longestTurnMs: number;
}

/** An attack as it goes on: sends, and may leave connections open until it was measured. */
export interface Attack {
  readonly url: URL;
  /** Counts what somebody else sends for the attack. */
  readonly alsoSent: (bytes: number) => void;
  /** Opens a connection that nobody reads, unless `read`, and writes these bytes. */
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
  await run(attack);
  await standstill(gateway);
  const after = await costOf(gateway);
  for (const socket of sockets) socket.destroy();
  return {
    sentBytes: sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, otherBytes),
    heldBytes: after.heldBytes - before.heldBytes,
    cpuMs: after.spentMs - before.measuredMs,
    longestTurnMs: after.longestTurnMs,
  };
}

const STANDSTILL_POLL_MS = 25;
const STANDSTILL_POLLS = 3;

/** Until the process has taken no CPU for a while, as the system counts it. */
async function standstill({ child }: ServerProcess): Promise<void> {
  const cpuTicks = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  for (let polls = 0, ticks = cpuTicks(); polls < STANDSTILL_POLLS; polls++) {
    await sleep(STANDSTILL_POLL_MS);
    const now = cpuTicks();
    if (now > ticks) polls = 0;
    ticks = now;
  }
}

/** Asks the process, which answers where errors go: the log goes elsewhere, at any time. */
async function costOf(gateway: ServerProcess): Promise<Cost> {
  const asked = gateway.stderr().length;
  gateway.child.kill("SIGUSR2");
  for (;;) {
    const answer = /probe (\{.*\})\n/.exec(gateway.stderr().slice(asked))?.[1];
    if (answer !== undefined) return JSON.parse(answer) as Cost;
    await sleep(5);
  }
}
