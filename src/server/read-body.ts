import type { IncomingMessage } from "node:http";
import { GrowingBuffer } from "../growing-buffer.ts";
import type { HttpError } from "./response.ts";

/** Reads a whole request body as UTF-8 text, or says why not. Null: the client left. */
export function readBody(
  request: IncomingMessage,
  { maxBodyBytes }: { maxBodyBytes: number },
): Promise<string | HttpError | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes)
    return Promise.resolve(tooLarge(maxBodyBytes));
  return new Promise((resolve) => {
    const body = new GrowingBuffer();
    request.on("data", (chunk: Buffer) => {
      if (body.length + chunk.length <= maxBodyBytes) {
        body.append(chunk);
        return;
      }
      // Reading on would let the client decide how much work a refusal is.
      request.pause();
      resolve(tooLarge(maxBodyBytes));
    });
    request.on("end", () => resolve(body.text()));
    request.on("close", () => resolve(null));
    request.on("error", () => resolve(null));
  });
}

function tooLarge(maxBodyBytes: number): HttpError {
  return {
    status: 413,
    code: "LIMIT_EXCEEDED",
    message: `Send at most ${maxBodyBytes} bytes in one request.`,
    headers: ["Connection", "close"],
  };
}
