import { Duplex } from "node:stream";
import { Client, type Dispatcher } from "undici";
import type { Answer } from "./exchange.ts";

/** Takes in the rest of an answer that has begun. */
export interface AnswerReader {
  push(bytes: Buffer): void;
  /** The connection says that nothing more will come. */
  end(): void;
  /** The connection broke, or nobody wants the answer any more. */
  fail(error: Error): void;
}

/** Exactly one is called, once, never before the reader was returned. */
export interface AnswerReaderEvents {
  /** `reusable`: the answer ended where its bytes end, and the connection is said to stay. */
  onAnswer(answer: Answer, reusable: boolean): void;
  onFailure(error: Error): void;
}

/**
 * Lets undici read an answer: its strict parser knows chunks, interim answers and connections that end, and has a code for
 * all that is wrong. It believes that it sent the request itself, over a connection that holds nothing but this answer.
 * @param options.received what came until now, from the first byte of the answer
 */
export function readUnusualAnswer(
  { received, origin, maxResponseBytes }: { received: Buffer; origin: string; maxResponseBytes: number },
  events: AnswerReaderEvents,
): AnswerReader {
  /** Until undici has written the request, an answer would be one that it did not ask for. */
  let early: Buffer[] | null = [received];
  let hasEnded = false;
  const source = new Duplex({
    read() {},
    write(_request, _encoding, written) {
      written();
      early?.forEach((bytes) => source.push(bytes));
      if (early !== null && hasEnded) source.push(null);
      early = null;
    },
  });
  source.on("error", () => {});
  const client = new Client(origin, {
    // Once undici waits for it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undici looks whether it is there before it uses what a stream lacks
    connect: (_options, connected) => queueMicrotask(() => connected(null, source as never)),
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxResponseBytes,
  });
  const head = { status: 0, contentType: "", retryAfter: "", upstreamRequestId: "" };
  let stays = false;
  const chunks: Buffer[] = [];
  let over = false;
  const settle = (tell: () => void): void => {
    if (over) return;
    over = true;
    tell();
    source.destroy();
    client.destroy().catch(() => {});
  };

  const handler: Dispatcher.DispatchHandler = {
    onConnect() {},
    onHeaders(status, rawHeaders) {
      const headers = new Map<string, string>();
      for (let index = 0; index + 1 < rawHeaders.length; index += 2)
        headers.set(String(rawHeaders[index]).toLowerCase(), String(rawHeaders[index + 1]));
      head.status = status;
      head.contentType = headers.get("content-type") ?? "";
      head.retryAfter = headers.get("retry-after") ?? "";
      head.upstreamRequestId = headers.get("x-authentik-id") ?? "";
      const connection = headers.get("connection") ?? (isVersion11(received) ? "keep-alive" : "close");
      const ends = headers.has("content-length") || headers.has("transfer-encoding");
      stays = ends && connection.toLowerCase() === "keep-alive";
      return true;
    },
    onData(chunk) {
      chunks.push(chunk);
      return true;
    },
    onComplete() {
      const body = Buffer.concat(chunks);
      // What came after the answer is given back to the source as soon as this returns.
      queueMicrotask(() => {
        const reusable = stays && !source.destroyed && source.readableLength === 0;
        settle(() => events.onAnswer({ ...head, body: body.toString(), bytes: body.length }, reusable));
      });
    },
    onError(error) {
      settle(() => events.onFailure(error));
    },
  };
  client.dispatch({ path: "/", method: "GET" }, handler);

  return {
    push: (bytes) => void (early ?? source).push(bytes),
    end() {
      hasEnded = true;
      if (early === null) source.push(null);
    },
    fail: (error) => settle(() => events.onFailure(error)),
  };
}

function isVersion11(received: Buffer): boolean {
  return received.toString("latin1", 0, 8) === "HTTP/1.1";
}
