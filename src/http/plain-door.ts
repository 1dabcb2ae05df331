import type { Socket } from "node:net";
import type { ServerLimits } from "../config/load.ts";
import { createTurnBatch } from "../turn-batch.ts";
import { createAnswerWriter } from "./plain-answer.ts";
import { createPlainConnection, type PlainConnection, type PlainService } from "./plain-connection.ts";

/** The way for plain requests: from the socket to the operation without node:http. */
export interface PlainDoor {
  /** Takes a connection that has just been opened. */
  open(socket: Socket): void;
  /** Whether this connection is served here and owes an answer. */
  owes(socket: Socket): boolean;
  close(): void;
}

/** What the door needs of the gateway and of the server. */
export type PlainDoorOptions = Pick<PlainService, "admit" | "handOver"> & { limits: ServerLimits };

/** Between two looks at all connections; shorter timeouts are looked at more often. */
const LONGEST_SWEEP_INTERVAL_MS = 250;

/** What takes longer to come whole than this share of the time for headers is for node:http, which ends slow requests. */
const REST_SHARE = 0.05;

/**
 * Node's server spends more time on each request than all that is done with it here: objects and events for streams that
 * nobody needs where a request comes in one piece and an answer goes out in one. See docs/decisions/0006-plain-door.md.
 *
 * Timeouts are kept by one sweep over the connections, so that requests pay for none.
 */
export function createPlainDoor({ limits, ...service }: PlainDoorOptions): PlainDoor {
  const { headersTimeoutMs, keepAliveTimeoutMs, socketTimeoutMs } = limits;
  const connections = new Map<Socket, PlainConnection>();
  const write = createAnswerWriter(limits);
  const served = createTurnBatch<() => void>((serve) => serve());
  const longestMs = {
    first: Math.min(headersTimeoutMs, socketTimeoutMs),
    rest: headersTimeoutMs * REST_SHARE,
    answer: Number.POSITIVE_INFINITY,
    next: keepAliveTimeoutMs,
  };

  const look = (socket: Socket, connection: PlainConnection, nowMs: number): void => {
    const { waitsFor, sinceMs } = connection.state();
    // Node's own timer sees how much of a write went out, and is started only where something waits to go out.
    const timeoutMs = socket.writableLength > 0 ? socketTimeoutMs : 0;
    if ((socket.timeout ?? 0) !== timeoutMs) socket.setTimeout(timeoutMs);
    if (timeoutMs > 0 || nowMs - sinceMs <= longestMs[waitsFor]) return;
    if (waitsFor === "rest") connection.handOver();
    else socket.destroySoon();
  };

  const intervalMs = Math.min(LONGEST_SWEEP_INTERVAL_MS, longestMs.first / 2, longestMs.next / 2);
  const sweep = setInterval(() => {
    const nowMs = performance.now();
    for (const [socket, connection] of connections) look(socket, connection, nowMs);
  }, intervalMs).unref();

  return {
    open(socket) {
      const connection = createPlainConnection(socket, { ...service, write, served }, () =>
        connections.delete(socket),
      );
      connections.set(socket, connection);
    },
    owes: (socket) => connections.get(socket)?.isBusy() ?? false,
    close: () => clearInterval(sweep),
  };
}
