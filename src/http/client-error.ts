import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Connections } from "./connections.ts";

/** How long a client may go on sending what nobody reads, so that the answer reaches it before the reset. */
const LINGER_MS = 500;

const ANSWERS: Readonly<Record<string, { status: string; message: string; code: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: "431 Request Header Fields Too Large",
    message: "The request's headers are too large.",
    code: "LIMIT_EXCEEDED",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: "408 Request Timeout",
    message: "The request did not arrive in time.",
    code: "BAD_REQUEST",
  },
};
const MALFORMED = {
  status: "400 Bad Request",
  message: "The request is not valid HTTP/1.1.",
  code: "BAD_REQUEST",
};

/** Answers what never became a request: shortly, in JSON, without saying what the parser found, and for the last time. */
export function answerClientErrors(server: Server, connections: Connections): void {
  const answered = new WeakSet<Socket>();
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // Node types the socket as a Duplex for the sake of servers that bring their own; ours are its own sockets.
    if (!isSocket(socket) || answered.has(socket)) return;
    answered.add(socket);
    // Bytes in the middle of another answer would be taken for a part of it.
    const midAnswer = connections.owed(socket).some(({ headersSent }) => headersSent);
    if (!socket.writable || midAnswer || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const { status, message, code } = ANSWERS[error.code ?? ""] ?? MALFORMED;
    const body = JSON.stringify({ errors: [{ message, extensions: { code, requestId: randomUUID() } }] });
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `Cache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
    );
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
}

function isSocket(stream: object): stream is Socket {
  return "remoteAddress" in stream && "destroySoon" in stream;
}
