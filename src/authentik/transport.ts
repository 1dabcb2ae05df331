import type { Socket } from "node:net";
import { buildConnector, errors } from "undici";
import { type Connection, createConnection } from "./connection.ts";
import type { Exchange, GetHead } from "./exchange.ts";
import { trustedCertificates } from "./trusted-certificates.ts";

/** Sends GETs to one origin. Knows HTTP, not what an answer means. */
export interface Transport {
  /** Sends one GET. The result cancels it: the exchange fails at once, or when an attempt to connect has ended. */
  send(head: GetHead, exchange: Exchange): () => void;
  /** Ends every connection, idle or not. */
  close(): void;
}

export interface TransportOptions {
  /** Base URL; its path is put before every path. */
  url: URL;
  userAgent: string;
  caPem?: string | undefined;
  connectTimeoutMs: number;
  maxResponseBytes: number;
}

/** Anything else could end a path or a header and begin something else. */
const PATH = /^[\x21-\x7e]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const UNWRITABLE = "a part of the request cannot be written as HTTP";
/** How long a connection is kept whose caller left while it was being made. */
const KEPT_UNUSED_MS = 1_000;
/** Between two looks at idle connections. */
const SWEEP_INTERVAL_MS = 1_000;

/**
 * Keep-alive connections to one fixed origin; paths are joined by concatenation, so that none can change the host.
 *
 * undici connects, TLS included. How many calls are out at once is for the queue to say. There are no timers of requests:
 * every exchange has a deadline that its owner enforces with the cancel function.
 */
export function createTransport(options: TransportOptions): Transport {
  const { url, caPem, connectTimeoutMs, maxResponseBytes } = options;
  const { origin, host, hostname, port, protocol } = url;
  const writeRequest = createRequestWriter(options);
  const connector = buildConnector({
    timeout: connectTimeoutMs,
    ...(caPem === undefined ? {} : { ca: trustedCertificates(caPem) }),
  });
  const address = { host, hostname: hostname.replace(/^\[|\]$/g, ""), port, protocol };
  const open = new Set<Connection>();
  /** Used last comes last, and is used first. */
  const idle: Idle[] = [];
  let resting: Idle[] = [];
  const connecting = new Set<(error: Error) => void>();
  let closed = false;

  const sweep = setInterval(() => {
    const now = performance.now();
    idle.splice(0, idle.length, ...idle.filter((one) => isUsable(one, now)));
  }, SWEEP_INTERVAL_MS).unref();

  const connectionOf = (socket: Socket): Connection => {
    const connection = createConnection(socket, { origin, maxResponseBytes, onFree, onClose });
    open.add(connection);
    return connection;
  };

  const onClose = (connection: Connection): void => void open.delete(connection);

  /** What was answered rests for a turn of the event loop: what comes too much is seen then, by nobody's next answer. */
  const onFree = (connection: Connection, keepAliveMs: number): void => {
    if (resting.length === 0) setImmediate(endRest);
    resting.push({ connection, until: performance.now() + keepAliveMs });
  };

  const endRest = (): void => {
    idle.push(...resting);
    resting = [];
  };

  const takeIdle = (): Connection | null => {
    for (let one = idle.pop(); one !== undefined; one = idle.pop())
      if (isUsable(one, performance.now())) return one.connection;
    return null;
  };

  const connectAndSend = (text: string, exchange: Exchange): (() => void) => {
    let cancel: (() => void) | null = null;
    let isCancelled = false;
    const fail = (error: Error): void => {
      if (connecting.delete(fail)) exchange.onFailure(error);
    };
    connecting.add(fail);
    connector(address, (error, socket) => {
      if (error) fail(error);
      else if (closed) socket.destroy();
      else if (isCancelled) {
        onFree(connectionOf(socket), KEPT_UNUSED_MS);
        fail(new errors.RequestAbortedError());
      } else {
        connecting.delete(fail);
        cancel = connectionOf(socket).send(text, exchange);
      }
    });
    return () => {
      isCancelled = true;
      cancel?.();
    };
  };

  return {
    send(head, exchange) {
      const text = writeRequest(head);
      if (text !== null && !closed) return takeIdle()?.send(text, exchange) ?? connectAndSend(text, exchange);
      const refusal = closed
        ? new errors.ClientDestroyedError()
        : new errors.InvalidArgumentError(UNWRITABLE);
      queueMicrotask(() => exchange.onFailure(refusal));
      return ignore;
    },
    close() {
      closed = true;
      clearInterval(sweep);
      const error = new errors.ClientDestroyedError();
      for (const fail of connecting) fail(error);
      for (const connection of open) connection.destroy(error);
    },
  };
}

/** A connection without an exchange, and until when it may be used, by `performance.now()`. */
interface Idle {
  connection: Connection;
  until: number;
}

/** Ends the connection where it is not. */
function isUsable({ connection, until }: Idle, now: number): boolean {
  if (connection.isFree() && until > now) return true;
  connection.destroy(new errors.InformationalError("idle"));
  return false;
}

/** Writes requests as HTTP/1.1; null where a part of one could be taken for something else. */
function createRequestWriter({ url, userAgent }: TransportOptions): (head: GetHead) => string | null {
  const begin = `GET ${url.pathname.replace(/\/+$/, "")}/api/v3`;
  const fixed =
    ` HTTP/1.1\r\nHost: ${url.host}\r\nConnection: keep-alive\r\nAccept: application/json\r\n` +
    `Accept-Language: en\r\nUser-Agent: ${userAgent}\r\nX-Request-Id: `;
  return ({ path, requestId, authorization }) => {
    if (!PATH.test(path) || !VALUE.test(requestId)) return null;
    if (authorization === null) return `${begin}${path}${fixed}${requestId}\r\n\r\n`;
    if (!VALUE.test(authorization)) return null;
    return `${begin}${path}${fixed}${requestId}\r\nAuthorization: ${authorization}\r\n\r\n`;
  };
}

function ignore(): void {}
