import { once } from "node:events";
import { connect } from "node:net";

/** An answer as it came over the wire. */
export interface RawAnswer {
  status: number;
  /** Names in lower case; values of a repeated name with a comma between them. */
  headers: Map<string, string>;
  body: Buffer;
}

/** Sends a request byte by byte as given, which no HTTP client does for odd paths and repeated headers. */
export async function sendRaw(
  {
    method,
    path,
    headers,
  }: { method: string; path: string; headers: readonly (readonly [string, string])[] },
  { url }: { url: URL },
): Promise<RawAnswer> {
  const socket = connect(Number(url.port), url.hostname);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${url.host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
  ];
  socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  return parseAnswer(Buffer.concat(chunks));
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) throw new Error(`No whole answer came: ${bytes.toString("latin1").slice(0, 100)}`);
  const [statusLine = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  return { status: Number(statusLine.split(" ")[1]), headers, body: bytes.subarray(end + 4) };
}
