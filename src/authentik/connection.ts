import type { Socket } from "node:net";
import { errors } from "undici";
import type { Answer, Exchange } from "./exchange.ts";
import { type PlainAnswerHead, readPlainAnswerHead } from "./plain-answer.ts";
import { type AnswerReader, readUnusualAnswer } from "./unusual-answer.ts";

/** A connected socket that carries one GET after the other. */
export interface Connection {
  /** Whether it can take a request. */
  isFree(): boolean;
  /** Writes a request; the connection must be free. The result cancels it, and the connection with it. */
  send(request: string, exchange: Exchange): () => void;
  /** Ends the connection, and the exchange that is on it with this error. */
  destroy(error: Error): void;
}

export interface ConnectionOptions {
  origin: string;
  maxResponseBytes: number;
  /** An answer was read to its end and the connection may be used again, as long as it is not idle for longer. */
  onFree: (connection: Connection, keepAliveMs: number) => void;
  onClose: (connection: Connection) => void;
}

/** Idle connections are closed before authentik's router or a proxy does it, so that no request meets a closing one. */
const KEEP_ALIVE_MS = 4_000;
/** So much earlier than the other side says that it will close. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** Longer heads are for undici to refuse. */
const MAX_HEAD_BYTES = 16_384;
const END_OF_HEAD = "\r\n\r\n";

/**
 * Reads plain answers straight from the socket, and lets undici read all others, see docs/decisions/0008-plain-answers.md.
 * Whatever comes without having been asked for ends the connection: it must never be taken for the next answer.
 */
export function createConnection(socket: Socket, options: ConnectionOptions): Connection {
  const { origin, maxResponseBytes, onFree, onClose } = options;
  let current: Exchange | null = null;
  let received: Buffer[] = [];
  let receivedBytes = 0;
  let head: PlainAnswerHead | null = null;
  let headBytes = 0;
  let reader: AnswerReader | null = null;
  let hasEnded = false;

  /** Ends the exchange and gives it back. */
  const take = (): Exchange | null => {
    const exchange = current;
    current = null;
    received = [];
    receivedBytes = 0;
    head = null;
    reader = null;
    return exchange;
  };

  const allReceived = (): Buffer =>
    received.length === 1 && received[0] ? received[0] : Buffer.concat(received, receivedBytes);

  /** Reads as far as possible; what is no plain answer goes to undici. */
  const read = (): void => {
    if (head === null) {
      const bytes = allReceived();
      const end = bytes.indexOf(END_OF_HEAD);
      if (end === -1 && receivedBytes < MAX_HEAD_BYTES) return;
      headBytes = end + END_OF_HEAD.length;
      head =
        end === -1 || end > MAX_HEAD_BYTES
          ? null
          : readPlainAnswerHead(bytes.toString("latin1", 0, headBytes));
      if (head === null) {
        readAsUnusual(bytes);
        return;
      }
      if (head.contentLength > maxResponseBytes) {
        fail(new errors.ResponseExceededMaxSizeError());
        return;
      }
    }
    const total = headBytes + head.contentLength;
    if (receivedBytes < total) return;
    const bytes = allReceived();
    const { status, contentType, retryAfter, upstreamRequestId, contentLength, keepAliveSeconds } = head;
    const body = bytes.toString("utf8", headBytes, total);
    const surplus = receivedBytes > total;
    const exchange = take();
    if (surplus) socket.destroy();
    else free(keepAliveSeconds);
    exchange?.onAnswer({ status, contentType, retryAfter, upstreamRequestId, body, bytes: contentLength });
  };

  const free = (keepAliveSeconds: number | null): void => {
    const hintMs =
      keepAliveSeconds === null ? KEEP_ALIVE_MS : keepAliveSeconds * 1_000 - KEEP_ALIVE_MARGIN_MS;
    if (hintMs > 0) onFree(connection, Math.min(KEEP_ALIVE_MS, hintMs));
    else socket.destroy();
  };

  const readAsUnusual = (bytes: Buffer): void => {
    const events = {
      onAnswer(answer: Answer, reusable: boolean) {
        const exchange = take();
        if (reusable) free(null);
        else socket.destroy();
        exchange?.onAnswer(answer);
      },
      onFailure(error: Error) {
        const exchange = take();
        socket.destroy();
        exchange?.onFailure(error);
      },
    };
    reader = readUnusualAnswer({ received: bytes, origin, maxResponseBytes }, events);
  };

  socket.on("data", (chunk: Buffer) => {
    if (reader !== null) {
      reader.push(chunk);
      return;
    }
    if (current === null) {
      socket.destroy();
      return;
    }
    received.push(chunk);
    receivedBytes += chunk.length;
    read();
  });
  const fail = (error: Error): void => {
    if (reader === null) take()?.onFailure(error);
    else reader.fail(error);
    socket.destroy();
  };
  socket.on("error", fail);
  socket.on("end", () => {
    hasEnded = true;
    if (reader === null) fail(new errors.SocketError("other side closed"));
    else reader.end();
  });
  socket.on("close", () => {
    onClose(connection);
    // A reader that knows of the end may still be reading what came before it.
    if (reader === null || !hasEnded) fail(new errors.SocketError("closed"));
  });

  const connection: Connection = {
    isFree: () => current === null && socket.writable,
    send(request, exchange) {
      current = exchange;
      exchange.onSent();
      socket.write(request, "latin1");
      return () => {
        if (current === exchange) fail(new errors.RequestAbortedError());
      };
    },
    destroy: fail,
  };
  return connection;
}
