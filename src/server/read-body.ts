import type { IncomingMessage } from "node:http";
import { GrowingBuffer } from "../growing-buffer.ts";
import { refusalOf } from "./connections.ts";
import { type HttpError, httpError } from "./graphql-response.ts";

/** Pieces of a body that are taken before other connections have their turn. */
const PIECES_PER_TURN = 1_000;

const NOT_UTF8 = httpError(400, "Send the body in UTF-8.");

/** Reads a whole request body as UTF-8 text, or says why not. Null: the client left. */
export function readBody(
  request: IncomingMessage,
  { maxBodyBytes }: { maxBodyBytes: number },
): Promise<string | HttpError | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes)
    return Promise.resolve(tooLarge(maxBodyBytes));
  return new Promise((resolve) => {
    const body = new GrowingBuffer();
    let pieces = 0;
    request.on("data", (chunk: Buffer) => {
      // The system hands over up to 2 MiB at once, in which there may be hundreds of thousands of chunks.
      if (++pieces % PIECES_PER_TURN === 0) pauseForOthers(request);
      if (body.length + chunk.length <= maxBodyBytes) {
        body.append(chunk);
        return;
      }
      // Reading on would let the client decide how much work a refusal is.
      request.pause();
      resolve(tooLarge(maxBodyBytes));
    });
    request.on("end", () => resolve(body.text() ?? NOT_UTF8));
    request.on("close", () => resolve(null));
    request.on("error", (error) => resolve(refusalOf(error)));
  });
}

function pauseForOthers({ socket, complete }: IncomingMessage): void {
  if (complete || socket.isPaused()) return;
  socket.pause();
  setImmediate(() => socket.resume());
}

function tooLarge(maxBodyBytes: number): HttpError {
  const message = `Send at most ${maxBodyBytes} bytes in one request.`;
  return httpError(413, message, { code: "LIMIT_EXCEEDED", close: true });
}
