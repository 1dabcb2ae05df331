import { connect } from "node:net";

/** What came back on one connection. */
export interface RawAnswer {
  text: string;
  /** Status of the first answer; 0 where there was none. */
  status: number;
  /** How many answers there were on the connection. */
  answers: number;
  /** Who ended it: the server, or this side after `waitMs`. */
  closedByServer: boolean;
  tookMs: number;
}

/** Writes bytes as they are on a connection of its own; clients would refuse or mend what is tested here. */
export function raw(url: URL, bytes: string | Buffer, { waitMs = 2_000 } = {}): Promise<RawAnswer> {
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname);
    let text = "";
    let closedByServer = true;
    const timer = setTimeout(() => {
      closedByServer = false;
      socket.destroy();
    }, waitMs);
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      resolve({
        text,
        status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0),
        answers: text.match(/HTTP\/1\.1 \d+/g)?.length ?? 0,
        closedByServer,
        tookMs: performance.now() - started,
      });
    });
    socket.write(bytes);
  });
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
