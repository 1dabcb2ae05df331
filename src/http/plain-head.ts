import type { RequestHead } from "./request-head.ts";

/** The head of a request that needs nothing of an HTTP parser but its lines. */
export interface PlainHead extends RequestHead {
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body that follows. */
  readonly contentLength: number;
}

/** Only what is written in exactly this way is plain. */
const PLAIN = /^POST (\/[\w/.-]*) HTTP\/1\.1\r\n((?:[A-Za-z][A-Za-z0-9-]*:[\t\x20-\x7e]*\r\n)+)\r\n$/;
const LENGTH = /^(?:0|[1-9][0-9]{0,8})$/;

/** Headers that change what follows the head, or what becomes of the connection. */
const NOT_PLAIN = ["transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings"];

/**
 * Reads the head of a plain request: a POST in HTTP/1.1 to a path, header lines of visible ASCII without any name twice,
 * a Host, a length in digits, and nothing that asks for more than an answer on a connection that stays.
 *
 * Null for everything else, which node:http judges from its first byte. So there is no malformed request here that could
 * be understood in two ways: whatever this reads, a strict parser reads in the same way.
 * @param text the head with the empty line that ends it, one character a byte
 */
export function readPlainHead(text: string): PlainHead | null {
  const [, url, lines] = PLAIN.exec(text) ?? [];
  if (url === undefined || lines === undefined) return null;
  const headers: Record<string, string> = {};
  const rawHeaders: string[] = [];
  for (let start = 0; start < lines.length;) {
    const colon = lines.indexOf(":", start);
    const end = lines.indexOf("\r\n", colon);
    const name = lines.slice(start, colon);
    const lowerCase = name.toLowerCase();
    const value = lines.slice(colon + 1, end).trim();
    if (Object.hasOwn(headers, lowerCase)) return null;
    headers[lowerCase] = value;
    rawHeaders.push(name, value);
    start = end + 2;
  }
  if (NOT_PLAIN.some((name) => Object.hasOwn(headers, name))) return null;
  if (Object.hasOwn(headers, "connection") && headers["connection"]?.toLowerCase() !== "keep-alive")
    return null;
  const length = headers["content-length"];
  if (headers["host"] === undefined || length === undefined || !LENGTH.test(length)) return null;
  return { method: "POST", url, headers, rawHeaders, contentLength: Number(length) };
}
