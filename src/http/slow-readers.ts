import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Connections } from "./connections.ts";

const LONGEST_SWEEP_INTERVAL_MS = 1000;

/**
 * Drops clients that do not take their answers.
 *
 * No progress for `socketTimeoutMs` while output waits: Node's socket timeout notices, as it knows how much of a write
 * went out. The same timeout also ends for a connection that waits for a slow answer, which is left alone since
 * operations have deadlines of their own, and for an idle one, which is closed as `keepAliveTimeout` asks for.
 *
 * Progress, but so slow that one answer takes longer than `answerTimeoutMs`: a sweep over the connections notices.
 */
export function dropSlowReaders(
  server: Server,
  connections: Connections,
  limits: { socketTimeoutMs: number; answerTimeoutMs: number },
): void {
  server.setTimeout(limits.socketTimeoutMs, (socket) => {
    const waitsForAnswer = socket.writableLength === 0 && connections.owes(socket);
    if (!waitsForAnswer) socket.destroy();
  });

  const waiting = new WeakMap<Socket, { bytesWritten: number; sinceMs: number }>();
  const sweep = setInterval(
    () => {
      const nowMs = performance.now();
      for (const socket of connections.all()) {
        const before = waiting.get(socket);
        if (socket.writableLength === 0) waiting.delete(socket);
        // Node counts a write when it is handed over: an equal count means that the same answer is still on its way.
        else if (before?.bytesWritten !== socket.bytesWritten) {
          waiting.set(socket, { bytesWritten: socket.bytesWritten, sinceMs: nowMs });
        } else if (nowMs - before.sinceMs > limits.answerTimeoutMs) socket.destroy();
      }
    },
    Math.min(LONGEST_SWEEP_INTERVAL_MS, limits.answerTimeoutMs / 4),
  ).unref();
  server.once("close", () => clearInterval(sweep));
}
