import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type ServerProcess, startGatewayProcess } from "./child.ts";

const MEBIBYTE = 1024 * 1024;

/** What a process has cost so far. */
interface Cost {
  /** CPU until it was asked, in milliseconds, and until it had measured. */
  spentMs: number;
  measuredMs: number;
  /** The longest turn of the event loop since it was asked before. */
  longestTurnMs: number;
  heldBytes: number;
}

/** What an attack has cost the process that was attacked. */
export interface Price {
  sentKiB: number;
  /** Heap and buffers, garbage collected. */
  heldMiB: number;
  cpuMs: number;
  /** How long others waited at most, in milliseconds of CPU: on a busy machine anybody waits. */
  longestTurnMs: number;
}

/** An attack as it goes on: sends, and may leave connections open until it was measured. */
export interface Attack {
  readonly url: URL;
  /** Counts what somebody else sends for the attack. */
  readonly alsoSent: (bytes: number) => void;
  /** Opens a connection that nobody reads, unless `read`, and writes these bytes. */
  readonly connect: (bytes?: string, options?: { read?: boolean }) => Socket;
}

/** The built gateway in a process that tells what it costs. */
export function startMeasuredGateway(
  authentikUrl: URL,
  env: Readonly<Record<string, string>> = { LOG_LEVEL: "info", LOG_FORMAT: "json" },
): Promise<ServerProcess> {
  const probe = "./test/security/support/memory-probe.mjs";
  return startGatewayProcess(authentikUrl, { env, nodeFlags: ["--expose-gc", "--import", probe] });
}

/** Attacks, and measures while the attack's connections are still open. */
export async function priceOf(
  gateway: ServerProcess,
  run: (attack: Attack) => Promise<void>,
): Promise<Price> {
  const { url } = gateway;
  const sockets: Socket[] = [];
  let otherBytes = 0;
  const before = await costOf(gateway);
  await run({
    url,
    alsoSent: (bytes) => void (otherBytes += bytes),
    connect(bytes = "", { read = false } = {}) {
      const socket = connect({ port: Number(url.port), host: url.hostname });
      socket.on("error", () => {});
      if (read) socket.resume();
      socket.write(bytes);
      sockets.push(socket);
      return socket;
    },
  });
  await standstill(gateway);
  const after = await costOf(gateway);
  for (const socket of sockets) socket.destroy();
  return {
    sentKiB: sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, otherBytes) / 1024,
    heldMiB: (after.heldBytes - before.heldBytes) / MEBIBYTE,
    cpuMs: after.spentMs - before.measuredMs,
    longestTurnMs: after.longestTurnMs,
  };
}

const STANDSTILL_POLL_MS = 25;
const STANDSTILL_POLLS = 3;

/** Until the process has taken no CPU for a while, as the system counts it. */
async function standstill({ child }: ServerProcess): Promise<void> {
  for (let polls = 0, before = ""; polls < STANDSTILL_POLLS; polls++) {
    await sleep(STANDSTILL_POLL_MS);
    const [user, system] =
      readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11) ?? [];
    const now = `${user} ${system}`;
    if (now !== before) polls = 0;
    before = now;
  }
}

/** What the process has cost so far. It answers where errors go: the log goes elsewhere, at any time. */
export async function costOf({ child, stderr }: ServerProcess): Promise<Cost> {
  const asked = stderr().length;
  child.kill("SIGUSR2");
  for (;;) {
    const answer = /probe (\{.*\})\n/.exec(stderr().slice(asked))?.[1];
    if (answer !== undefined) return JSON.parse(answer) as Cost; // as memory-probe.mjs prints it
    await sleep(5);
  }
}
