import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerLimits } from "../config/load.ts";
import { watchConnections } from "./connections.ts";

/** Limits, and what happens to failures. */
export interface HttpServerOptions extends ServerLimits {
  /** Called when a connection could not be accepted, as when the process has no file descriptors left. */
  onError?: (error: Error) => void;
}

const MAX_HEADER_BYTES = 16_384;
/** Node looks at slow headers and bodies this often; its default of 30 s would make shorter timeouts meaningless. */
const SLOW_REQUEST_CHECK_MS = 1000;
/** How long a request may be on its way when the server closes, before a silent connection is taken for unused. */
const LAST_REQUEST_MS = 500;
const CLOSE_CHECK_MS = 25;

/** An HTTP server that slow, numerous or malformed clients do not wear down: every limit is set before it listens. */
export function createHttpServer(listener: RequestListener, options: HttpServerOptions) {
  const { onError, ...limits } = options;
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(SLOW_REQUEST_CHECK_MS, limits.headersTimeoutMs),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    // The guard asks for it, as for all else that it refuses.
    requireHostHeader: false,
    noDelay: true,
  });
  server.maxConnections = limits.maxConnections;
  const connections = watchConnections(server, listener, limits);

  return {
    /** Connections open now. */
    connections: connections.count,
    startDraining: () => connections.startDraining(),
    isDraining: connections.isDraining,
    /**
     * Starts to answer.
     * @returns the port, which is another one than asked for when that was 0
     * @throws {Error} with a `code` such as EADDRINUSE
     */
    listen: ({ host, port }: { host: string; port: number }) =>
      new Promise<number>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, () => {
          server.off("error", reject).on("error", (error) => onError?.(error));
          const address = server.address();
          resolve(typeof address === "object" && address !== null ? address.port : port);
        });
      }),
    /**
     * Takes no new connections, lets responses that are owed go out, closes everything else.
     * @returns whether all went out within `timeoutMs`; what did not was cut off
     */
    close: async ({ timeoutMs }: { timeoutMs: number }): Promise<boolean> => {
      // Not node:http's own, which destroys connections whose response is written and not yet taken, and stops to look for
      // slow bodies.
      const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
      const watcher = setInterval(closeUnused(connections), CLOSE_CHECK_MS);
      const finished = await Promise.race([closed.then(() => true), sleep(timeoutMs, false)]);
      clearInterval(watcher);
      // Until they are gone, so that who is cut off is told of as such.
      if (!finished) await Promise.all(Array.from(connections.all(), destroyed));
      await closed;
      return finished;
    },
  };
}

function destroyed(socket: Socket): Promise<unknown> {
  return once(socket.destroy(), "close");
}

/** Closes what owes no response: idle connections, those that become idle later, and those that never sent a request. */
function closeUnused(connections: ReturnType<typeof watchConnections>): () => void {
  const startedMs = performance.now();
  const owedLately = new WeakSet<object>();
  return () => {
    const late = performance.now() - startedMs > LAST_REQUEST_MS;
    for (const socket of connections.all()) {
      if (connections.owes(socket)) owedLately.add(socket);
      else if (late || owedLately.has(socket)) socket.destroySoon();
    }
  };
}
