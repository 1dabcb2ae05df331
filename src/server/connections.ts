import { randomUUID } from "node:crypto";
import {
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ServerLimits } from "../config/load.ts";
import { type HttpError, httpError } from "./graphql-response.ts";

/** Requests of one connection that are answered at once; further ones wait, and meanwhile nothing more is read. */
const MAX_OWED = 4;
/** How long a client may go on sending what nobody reads, so that the response reaches it before the reset. */
const LINGER_MS = 500;
const LONGEST_SWEEP_INTERVAL_MS = 1_000;

/** A response begun and not completely handed over. */
interface OwedResponse {
  readonly response: ServerResponse;
  /** When it was written; 0: not yet. */
  writtenMs: number;
}

/** What is known of one connection. */
interface Connection {
  readonly owed: OwedResponse[];
  /** Requests that were read and have to wait. */
  readonly waiting: [request: IncomingMessage, response: ServerResponse][];
  /** What the parser could make nothing of, after the requests above. */
  failure: NodeJS.ErrnoException | null;
  /** Whether what comes next has its turn already. */
  isScheduled: boolean;
  /** Whether its last response has begun: whatever is read after that request is not executed. */
  isEnding: boolean;
  /** Whether something was read after that request. */
  isIgnoring: boolean;
  /** The request that began last. */
  latest: IncomingMessage | null;
}

/**
 * Watches the connections of a server, from before it listens, and hands its requests to the listener.
 *
 * Bounds what one connection can make the process hold: node:http executes whatever one read brings, so that a few
 * kilobytes of pipelined requests would be answered into memory for a client that reads nothing.
 */
export function watchConnections(server: Server, listener: RequestListener, limits: ServerLimits) {
  const connections = new Map<Socket, Connection>();
  let isDraining = false;

  server.on("connection", (socket) => {
    const connection: Connection = {
      owed: [],
      waiting: [],
      failure: null,
      isScheduled: false,
      isEnding: false,
      isIgnoring: false,
      latest: null,
    };
    connections.set(socket, connection);
    // node:http ends a connection with it after its last response. While the client still sends, or has sent what was not
    // read, the system would answer with a reset, which may overtake the response.
    const destroySoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (socket.isPaused() || connection.owed.some(({ response }) => !response.req.complete)) linger(socket);
      else destroySoon();
    };
    // node:http resumes the socket at the end of each request, whoever has paused it.
    socket.on("resume", () => {
      const { isIgnoring, waiting } = connection;
      if (isIgnoring || waiting.length > 0 || isUnread(socket, connection)) socket.pause();
    });
    socket.once("close", () => {
      connections.delete(socket);
      // node:http tells the first of them only.
      for (const { response } of connection.owed.toReversed())
        if (!response.writableFinished) response.emit("close");
    });
  });

  server.on("request", (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (!connection) return;
    const { owed, waiting, isScheduled } = connection;
    if (noticeEnd(connection)) {
      connection.isIgnoring = true;
      socket.pause();
    } else if (owed.length < MAX_OWED && waiting.length === 0 && !isScheduled) {
      begin(socket, connection, request, response);
    } else {
      connection.waiting.push([request, response]);
      socket.pause();
    }
  });

  // The guard refuses what cannot be met, as it refuses everything else.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));

  function begin(
    socket: Socket,
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const owed = { response, writtenMs: 0 };
    connection.owed.push(owed);
    connection.latest = request;
    if (isDraining && connection.waiting.length === 0) response.shouldKeepAlive = false;
    response.once("prefinish", () => {
      owed.writtenMs = performance.now();
      // Until its client takes it nothing more is read: neither does more come to be owed, nor does what the client
      // sends meanwhile count as activity.
      if (isUnread(socket, connection)) socket.pause();
    });
    response.once("close", () => {
      noticeEnd(connection);
      connection.owed.splice(connection.owed.indexOf(owed), 1);
      schedule(socket, connection);
    });
    listener(request, response);
  }

  /** One request in each turn of the event loop: one read brings hundreds, and others must have their turn in between. */
  function schedule(socket: Socket, connection: Connection): void {
    if (connection.isScheduled) return;
    connection.isScheduled = true;
    setImmediate(() => {
      connection.isScheduled = false;
      proceed(socket, connection);
    });
  }

  function proceed(socket: Socket, connection: Connection): void {
    const { owed, waiting } = connection;
    if (socket.destroyed || owed.length >= MAX_OWED || isUnread(socket, connection)) return;
    const next = noticeEnd(connection) ? undefined : waiting.shift();
    if (next) {
      begin(socket, connection, ...next);
      if (waiting.length > 0) schedule(socket, connection);
      else fail(socket, connection);
    } else if (connection.failure) fail(socket, connection);
    else if (socket.isPaused()) socket.resume();
  }

  // What the parser cannot read is answered after the requests before it, and for the last time.
  function takeFailure(error: NodeJS.ErrnoException, stream: Duplex): void {
    const socket = isSocket(stream) ? stream : null;
    const connection = socket && connections.get(socket);
    if (!connection || connection.failure) {
      if (!connection) stream.destroy();
      return;
    }
    connection.failure = error;
    fail(socket, connection);
  }
  server.on("clientError", takeFailure);
  server.on("connect", (_request, stream) => {
    // node:http has taken its own listeners off.
    stream.on("error", () => stream.destroy());
    takeFailure(Object.assign(new Error("CONNECT"), { code: "CONNECT" }), stream);
  });

  // Node notices that nothing of a write went out for so long; also that nothing happens while an operation runs,
  // which has a deadline of its own.
  server.setTimeout(limits.socketTimeoutMs, (socket) => {
    const connection = connections.get(socket);
    const runs = connection?.owed.some(({ writtenMs }) => writtenMs === 0) ?? false;
    if (!runs || socket.writableLength > 0) socket.destroy();
  });

  // The time of the oldest response that is not handed over decides, whatever else moves on the connection.
  const sweep = setInterval(
    () => {
      const nowMs = performance.now();
      for (const [socket, { owed }] of connections) {
        for (const { writtenMs } of owed)
          if (writtenMs > 0 && nowMs - writtenMs > limits.answerTimeoutMs) socket.destroy();
      }
    },
    Math.min(LONGEST_SWEEP_INTERVAL_MS, limits.answerTimeoutMs / 4),
  ).unref();
  server.once("close", () => clearInterval(sweep));

  return {
    count: () => connections.size,
    all: () => connections.keys(),
    /** From now on the last response that is owed on a connection says `Connection: close`, or else the next one. */
    startDraining(): void {
      isDraining = true;
      for (const connection of connections.values()) {
        const last = connection.owed.at(-1)?.response;
        if (last && !last.headersSent && connection.waiting.length === 0) last.shouldKeepAlive = false;
      }
    },
    isDraining: () => isDraining,
    /** Whether a response is owed that was not completely handed to the operating system. */
    owes(socket: Socket): boolean {
      const connection = connections.get(socket);
      if (!connection) return false;
      return socket.writableLength > 0 || connection.owed.length + connection.waiting.length > 0;
    },
  };
}

/** Whether its last response has begun, also where that waits for those before it. What was read behind it is forgotten. */
function noticeEnd(connection: Connection): boolean {
  const { owed, waiting } = connection;
  connection.isEnding ||= owed.some(({ response }) => !response.shouldKeepAlive);
  if (connection.isEnding) waiting.length = 0;
  return connection.isEnding;
}

/** Whether a response is written that its client has not taken yet. */
function isUnread(socket: Socket, { owed }: Connection): boolean {
  return socket.writableLength > 0 && owed.some(({ writtenMs }) => writtenMs > 0);
}

const close = true;
const MALFORMED = httpError(400, "The request is not valid HTTP/1.1.", { close });
const FAILURES: Readonly<Record<string, HttpError | null>> = {
  HPE_HEADER_OVERFLOW: httpError(431, "The request's headers are too large.", {
    code: "LIMIT_EXCEEDED",
    close,
  }),
  ERR_HTTP_REQUEST_TIMEOUT: httpError(408, "The request did not arrive in time.", { close }),
  CONNECT: httpError(400, "The request target must be a path.", { close }),
  ECONNRESET: null,
  HPE_INVALID_EOF_STATE: null,
};

/** What is answered to a request that could not be read, without what the parser found; null: the client left. */
export function refusalOf({ code = "" }: NodeJS.ErrnoException): HttpError | null {
  return Object.hasOwn(FAILURES, code) ? (FAILURES[code] ?? null) : MALFORMED;
}

/** Tells the request whose body could not be read, or answers what never became one once nothing is owed before it. */
function fail(socket: Socket, connection: Connection): void {
  const { failure, owed, waiting, latest } = connection;
  if (failure === null || waiting.length > 0) return;
  const refusal = refusalOf(failure);
  const isCut = latest?.complete === false;
  if (refusal === null) socket.destroy();
  else if (isCut && owed.at(-1)?.response.req === latest && latest.listenerCount("error") > 0)
    latest.emit("error", failure);
  else if (owed.length > 0 || noticeEnd(connection)) return;
  // A request that was answered already without its body has no second answer.
  else if (isCut) linger(socket);
  else answerFailure(socket, refusal);
}

function answerFailure(socket: Socket, refusal: HttpError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, message, code } = refusal;
  const requestId = randomUUID();
  const body = JSON.stringify({ errors: [{ message, extensions: { code, requestId } }] });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\nCache-Control: no-store\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
  linger(socket);
}

/** Ends this side, throws away unparsed what the client goes on to send, and closes the connection a moment later. */
function linger(socket: Socket): void {
  socket.end();
  socket.removeAllListeners("resume");
  socket.removeAllListeners("data");
  socket.on("data", () => {});
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

// Node types the socket as a Duplex for the sake of servers that bring their own; ours are its own sockets.
function isSocket(stream: object): stream is Socket {
  return "remoteAddress" in stream && "destroySoon" in stream;
}
