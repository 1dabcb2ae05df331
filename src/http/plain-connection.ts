import type { Socket } from "node:net";
import type { Answer, AnswerEnvelope } from "./answer.ts";
import type { AnswerWriter } from "./plain-answer.ts";
import { type PlainHead, readPlainHead } from "./plain-head.ts";
import type { TurnBatch } from "../turn-batch.ts";
import type { Recipient } from "./recipient.ts";

/** Executes the operation in a body and answers it, sooner or later. */
export type ServePlain = (body: string, recipient: Recipient) => void;

/** What connections of the plain door are served with. */
export interface PlainService {
  /**
   * How requests with this head are served, or null when node:http is to have them. Asked once for all requests of a
   * connection that have the same head, so nothing in it may depend on anything else.
   */
  admit(head: PlainHead): ServePlain | null;
  /** Gives the connection to node:http for good, with what was received and not served. */
  handOver(socket: Socket, received: Buffer): void;
  write: AnswerWriter;
  /** Requests that are there whole, served with those of the same turn of the event loop. */
  served: TurnBatch<() => void>;
}

/** One connection of the plain door. */
export interface PlainConnection {
  /** Whether an answer is owed. */
  isBusy(): boolean;
  /** What it waits for: nothing yet, the rest of a request, our answer, or the next request; and since when. */
  state(): { waitsFor: "first" | "rest" | "answer" | "next"; sinceMs: number };
  /** Gives it to node:http, whatever it waits for but an answer. */
  handOver(): void;
}

interface KnownHead {
  bytes: Buffer;
  contentLength: number;
  serve: ServePlain;
}

const END_OF_HEAD = "\r\n\r\n";
/** Longer heads are for node:http to refuse. */
const MAX_HEAD_BYTES = 16_384;
/** Longer heads are read anew each time, so that idle connections keep little. */
const MAX_KNOWN_HEAD_BYTES = 4_096;
const POST = "POST /";
/** Of requests that come before their predecessor was answered. */
const MAX_EARLY_BYTES = 65_536;

/**
 * Serves plain requests from a socket, one after the other, and gives the connection to node:http with the first byte of
 * anything else. `onGone` is called once, when the connection is closed or was given away.
 */
export function createPlainConnection(
  socket: Socket,
  service: PlainService,
  onGone: () => void,
): PlainConnection {
  let known: KnownHead | null = null;
  /** Of a request that is not complete, or that came before its predecessor was answered. */
  let received: Buffer[] = [];
  let receivedBytes = 0;
  /** Bytes that the request in `received` has in all, at least. */
  let neededBytes = 0;
  let busy = false;
  let served = false;
  let sinceMs = performance.now();
  let leave: (() => void) | null = null;

  const takeReceived = (): Buffer => {
    const bytes = received.length === 1 && received[0] ? received[0] : Buffer.concat(received, receivedBytes);
    received = [];
    receivedBytes = 0;
    neededBytes = 0;
    return bytes;
  };

  const keep = (bytes: Buffer, needed: number): void => {
    if (receivedBytes === 0 && !busy) sinceMs = performance.now();
    received.push(bytes);
    receivedBytes += bytes.length;
    neededBytes = needed;
  };

  const handOver = (bytes: Buffer): void => {
    socket.off("data", onData).off("end", onEnd).off("error", onError);
    socket.off("timeout", onTimeout).off("close", onClose);
    socket.setTimeout(0);
    onGone();
    service.handOver(socket, bytes);
  };

  const take = (bytes: Buffer): void => {
    const head = headOf(bytes);
    if (head === "incomplete") {
      keep(bytes, bytes.length + 1);
      return;
    }
    const total = head === null ? 0 : head.bytes.length + head.contentLength;
    if (head === null || bytes.length > total) handOver(bytes);
    else if (bytes.length < total) keep(bytes, total);
    else {
      busy = true;
      served = true;
      const { serve, bytes: headBytes } = head;
      service.served.add(() => serve(bytes.toString("utf8", headBytes.length), recipient));
    }
  };

  const headOf = (bytes: Buffer): KnownHead | "incomplete" | null => {
    if (known !== null && startsWith(bytes, known.bytes)) return known;
    const end = bytes.indexOf(END_OF_HEAD);
    if (end === -1) return bytes.length < MAX_HEAD_BYTES && startsLike(bytes, POST) ? "incomplete" : null;
    if (end > MAX_HEAD_BYTES) return null;
    const length = end + END_OF_HEAD.length;
    const head = readPlainHead(bytes.toString("latin1", 0, length));
    const serve = head === null ? null : service.admit(head);
    if (head === null || serve === null) return null;
    const { contentLength } = head;
    const found = { bytes: Buffer.from(bytes.subarray(0, length)), contentLength, serve };
    known = length <= MAX_KNOWN_HEAD_BYTES ? found : null;
    return found;
  };

  const onData = (chunk: Buffer): void => {
    if (busy) {
      keep(chunk, 0);
      // Reading on shows when the client leaves, but nobody has to keep what it sends meanwhile.
      if (receivedBytes > MAX_EARLY_BYTES) socket.pause();
    } else if (receivedBytes === 0) take(chunk);
    else {
      keep(chunk, neededBytes);
      if (receivedBytes >= neededBytes) take(takeReceived());
    }
  };

  const recipient: Recipient = {
    send(answer: Answer, envelope: AnswerEnvelope) {
      if (!busy) return;
      busy = false;
      leave = null;
      sinceMs = performance.now();
      if (!socket.writable) return;
      service.write(socket, answer, envelope);
      if (envelope.close) socket.destroySoon();
      else if (receivedBytes > 0) {
        socket.resume();
        take(takeReceived());
      }
    },
    onLeave(listener) {
      if (socket.destroyed) listener();
      else leave = listener;
    },
  };

  // As node:http does: who says that nothing more will come gets nothing more either.
  const onEnd = (): void => void socket.end();
  const onTimeout = (): void => {
    if (socket.writableLength > 0) socket.destroy();
  };
  const onClose = (): void => {
    onGone();
    busy = false;
    leave?.();
  };
  socket.on("data", onData).on("end", onEnd).on("error", onError);
  socket.on("timeout", onTimeout).on("close", onClose);

  return {
    isBusy: () => busy,
    state: () => ({
      waitsFor: busy ? "answer" : receivedBytes > 0 ? "rest" : served ? "next" : "first",
      sinceMs,
    }),
    handOver: () => handOver(takeReceived()),
  };
}

/** The connection closes by itself. */
function onError(): void {}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0;
}

function startsLike(bytes: Buffer, text: string): boolean {
  const length = Math.min(bytes.length, text.length);
  return bytes.toString("latin1", 0, length) === text.slice(0, length);
}
