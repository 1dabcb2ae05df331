import { connect } from "node:net";
import { TOKEN } from "./ask.ts";

/** A connection that sends exactly what a test wants and remembers what came back. */
export function rawClient(port: number, firstBytes: string | Buffer = "") {
  const socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => {});
  if (firstBytes !== "") socket.write(firstBytes);
  return {
    socket,
    received: (): string => text,
    /** Resolves with everything received once the server has ended or reset the connection. */
    closed: new Promise<string>((resolve) => socket.once("close", () => resolve(text))),
    /** Resolves once something received matches. */
    waitFor: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(text)) resolve(text);
        };
        socket.on("data", look);
        socket.once("close", () => reject(new Error(`closed before ${String(pattern)}: ${text}`)));
        look();
      }),
  };
}

/** Writes bytes as they are on a connection of its own; clients would refuse or mend what is tested here. */
export async function raw(url: URL, bytes: string | Buffer, { waitMs = 2_000 } = {}) {
  const { socket, closed } = rawClient(Number(url.port), bytes);
  const timer = setTimeout(() => socket.destroy(new Error("this side")), waitMs);
  const text = await closed;
  clearTimeout(timer);
  return {
    text,
    /** Status of the first answer; 0 where there was none. */
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0),
    /** How many answers there were on the connection. */
    answers: text.match(/HTTP\/1\.1 \d+/g)?.length ?? 0,
    /** Who ended it: the server, or this side after `waitMs`. */
    closedByServer: socket.errored?.message !== "this side",
  };
}

/** A POST of a query with the usual token, which keeps the connection. */
export const postQuery = (query: string): string =>
  postText(JSON.stringify({ query }), [`Authorization: ${TOKEN}`], "keep-alive");

/** A POST of JSON as text; `lines` are further header lines. */
export function postText(body: string, lines: readonly string[] = [], connection = "close"): string {
  const host = lines.some((line) => line.startsWith("Host:")) ? [] : ["Host: localhost"];
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  const head = ["Content-Type: application/json", `Connection: ${connection}`, length, ...host, ...lines];
  return `POST /graphql HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n${body}`;
}
