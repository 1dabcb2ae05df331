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

export function rawClient(port: number, firstBytes: string | Buffer = ""): RawClient {
  const socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  socket.setEncoding("utf8");
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

/** What came back on one connection. */
export interface RawAnswer {
  text: string;
  /** Status of the first answer; 0 where there was none. */
  status: number;
  /** How many answers there were on the connection. */
  answers: number;
  /** Who ended it: the server, or this side after `waitMs`. */
  closedByServer: boolean;
}

/** Writes bytes as they are on a connection of its own; clients would refuse or mend what is tested here. */
export async function raw(url: URL, bytes: string | Buffer, { waitMs = 2_000 } = {}): Promise<RawAnswer> {
  const { socket, closed } = rawClient(Number(url.port), bytes);
  let closedByServer = true;
  const timer = setTimeout(() => {
    closedByServer = false;
    socket.destroy();
  }, waitMs);
  const text = await closed;
  clearTimeout(timer);
  return {
    text,
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0),
    answers: text.match(/HTTP\/1\.1 \d+/g)?.length ?? 0,
    closedByServer,
  };
}

/** A POST of JSON as text, with `Connection: close`. */
export function postText(body: string, lines: readonly string[] = []): string {
  const head = [
    "POST /graphql HTTP/1.1",
    ...(lines.some((line) => /^host:/i.test(line)) ? [] : ["Host: localhost"]),
    "Content-Type: application/json",
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...lines,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
