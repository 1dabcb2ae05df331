import { connect, type Socket } from "node:net";

/** A connection that sends exactly what a test wants and remembers what came back. */
export interface RawClient {
  readonly socket: Socket;
  readonly received: () => string;
  /** Resolves with everything received once the server has ended or reset the connection. */
  readonly closed: Promise<string>;
  /** Resolves once something received matches. */
  readonly waitFor: (pattern: RegExp) => Promise<string>;
}

export function rawClient(port: number, firstBytes = ""): RawClient {
  const socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => {});
  if (firstBytes !== "") socket.write(firstBytes);
  return {
    socket,
    received: () => text,
    closed: new Promise((resolve) => socket.once("close", () => resolve(text))),
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(text)) resolve(text);
        };
        socket.on("data", look);
        socket.once("close", () => reject(new Error(`closed before ${String(pattern)}: ${text}`)));
        look();
      }),
  };
}
