import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { startNode } from "../../process/cli.ts";

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

/** Attacks. @returns bytes that it sent besides those of the connections that it opened */
export type Attack = (
  url: URL,
  /** Opens a connection that nobody reads, unless `read`. */
  connect: (options?: { read?: boolean }) => Socket,
) => Promise<number>;

const { scripts }: { scripts: { start: string } } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
);
const FLAGS = [
  ...scripts.start.split(" ").filter((word) => word.startsWith("--")),
  "--expose-gc",
  "--import=./test/security/support/memory-probe.mjs",
];

/** A gateway in a process that tells what it costs. */
export type MeasuredGateway = Awaited<ReturnType<typeof startMeasuredGateway>>;

/** The compiled gateway with the flags of `npm start`; call `buildCli` first. */
export async function startMeasuredGateway(authentikUrl: URL, env: Readonly<Record<string, string>> = {}) {
  const started = startNode([...FLAGS, "dist/main.js", "serve"], {
    env: { NODE_ENV: "production", AUTHENTIK_URL: authentikUrl.href, PORT: "0", LOG_FORMAT: "json", ...env },
  });
  return { ...started, url: new URL(await started.url()) };
}

/** Attacks, and measures while the attack's connections are still open. */
export async function priceOf(gateway: MeasuredGateway, attack: Attack): Promise<Price> {
  const { url } = gateway;
  const sockets: Socket[] = [];
  const before = await costOf(gateway);
  const otherBytes = await attack(url, ({ read = false } = {}) => {
    const socket = connect({ port: Number(url.port), host: url.hostname });
    socket.on("error", () => {});
    if (read) socket.resume();
    sockets.push(socket);
    return socket;
  });
  await standstill(gateway);
  const after = await costOf(gateway);
  for (const socket of sockets) socket.destroy();
  const sentBytes = sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, otherBytes);
  return {
    sentKiB: Math.round(sentBytes / 1024),
    heldMiB: Math.round((after.heldBytes - before.heldBytes) / MEBIBYTE),
    cpuMs: Math.round(after.spentMs - before.measuredMs),
    longestTurnMs: Math.round(after.longestTurnMs),
  };
}

/** Until the process has taken no CPU for a while, as the system counts it. */
async function standstill({ child }: MeasuredGateway): Promise<void> {
  for (let polls = 0, before = ""; polls < 3; polls++) {
    await sleep(25);
    const now = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(" ").slice(13, 15).join();
    if (now !== before) polls = 0;
    before = now;
  }
}

/** What the process has cost so far. It answers where errors go: the log goes elsewhere, at any time. */
export async function costOf({ child, stderr }: MeasuredGateway): Promise<Cost> {
  const asked = stderr().length;
  child.kill("SIGUSR2");
  for (;;) {
    const answer = /probe (\{.*\})\n/.exec(stderr().slice(asked))?.[1];
    if (answer !== undefined) return JSON.parse(answer) as Cost; // as memory-probe.mjs prints it
    await sleep(5);
  }
}
