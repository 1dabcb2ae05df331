import type { IncomingMessage } from "node:http";
import type { Refusal } from "./request-guard.ts";

/** Reads a whole request body as UTF-8 text, or says why not. Null: the client left. */
export function readBody(
  request: IncomingMessage,
  { maxBodyBytes }: { maxBodyBytes: number },
): Promise<string | Refusal | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes)
    return Promise.resolve(tooLarge(maxBodyBytes));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBodyBytes) {
        chunks.push(chunk);
        return;
      }
      // Reading on would let the client decide how much work a refusal is.
      request.pause();
      resolve(tooLarge(maxBodyBytes));
    });
    request.on("end", () => {
      const [only] = chunks;
      resolve((chunks.length === 1 && only ? only : Buffer.concat(chunks, length)).toString("utf8"));
    });
    request.on("close", () => resolve(null));
    request.on("error", () => resolve(null));
  });
}

function tooLarge(maxBodyBytes: number): Refusal {
  return {
    status: 413,
    code: "LIMIT_EXCEEDED",
    message: `Send at most ${maxBodyBytes} bytes in one request.`,
    headers: { connection: "close" },
  };
}
