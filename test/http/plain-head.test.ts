import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { array, assert, asyncProperty, constantFrom } from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPlainHead } from "../../src/http/plain-head.ts";
import { rawClient } from "../process/raw-client.ts";

const LINES = ["Host: a", "Content-Type: application/json", "Content-Length: 2"];
const head = (lines: readonly string[] = LINES, first = "POST /graphql HTTP/1.1"): string =>
  `${[first, ...lines].join("\r\n")}\r\n\r\n`;

describe("a plain head", () => {
  test("is read as node:http reads it", () => {
    expect(readPlainHead(head(["Host:a", "X-Empty:", "ACCEPT: \t a b\t ", "Content-Length: 12"]))).toEqual({
      method: "POST",
      url: "/graphql",
      headers: { host: "a", "x-empty": "", accept: "a b", "content-length": "12" },
      rawHeaders: ["Host", "a", "X-Empty", "", "ACCEPT", "a b", "Content-Length", "12"],
      contentLength: 12,
    });
  });

  test.each([
    ["keeps its connection alive", ["Connection: Keep-Alive"]],
    ["has names that objects have too", ["constructor: x", "toString: y"]],
  ])("may be one that %s", (_what, lines) => {
    expect(readPlainHead(head([...LINES, ...lines]))).not.toBeNull();
  });
});

const NOT_PLAIN: readonly (readonly [string, string])[] = [
  ["another method", head(LINES, "PUT /graphql HTTP/1.1")],
  ["a method in lower case", head(LINES, "post /graphql HTTP/1.1")],
  ["HTTP/1.0", head(LINES, "POST /graphql HTTP/1.0")],
  ["a query", head(LINES, "POST /graphql?x=1 HTTP/1.1")],
  ["a whole URL", head(LINES, "POST http://a/graphql HTTP/1.1")],
  ["an escaped path", head(LINES, "POST /graph%71l HTTP/1.1")],
  ["two spaces", head(LINES, "POST  /graphql HTTP/1.1")],
  ["an empty line first", `\r\n${head()}`],
  ["no header", "POST /graphql HTTP/1.1\r\n\r\n"],
  ["no Host", head(LINES.slice(1))],
  ["no length", head(LINES.slice(0, 2))],
  ["two lengths", head([...LINES, "Content-Length: 2"])],
  ["a name twice, in another case", head([...LINES, "HOST: b"])],
  ["two credentials", head([...LINES, "Authorization: Bearer a", "authorization: Bearer b"])],
  ...["+2", "-2", "02", "2 2", "2,2", "0x2", "2.0", "", "9999999999", "２"].map(
    (length) => [`the length ${length}`, head([...LINES.slice(0, 2), `Content-Length: ${length}`])] as const,
  ),
  ["chunks", head([...LINES, "Transfer-Encoding: chunked"])],
  ["Expect", head([...LINES, "Expect: 100-continue"])],
  ["Upgrade", head([...LINES, "Upgrade: h2c"])],
  ["TE", head([...LINES, "TE: trailers"])],
  ["Trailer", head([...LINES, "Trailer: X"])],
  ["a connection that ends", head([...LINES, "Connection: close"])],
  ["a connection with options", head([...LINES, "Connection: keep-alive, Upgrade"])],
  ["a folded header", head([...LINES, "X: y\r\n z"])],
  ["a bare line feed", head([...LINES, "X: y\nZ: z"])],
  ["a bare carriage return", head([...LINES, "X: y\rZ: z"])],
  ["a space before the colon", head([...LINES, "X : y"])],
  ["a line without colon", head([...LINES, "X"])],
  ["a line without name", head([...LINES, ": y"])],
  ["an underscore in a name", head([...LINES, "X_Y: z"])],
  ["a letter beyond ASCII", head([...LINES, "X: \u00e9"])],
  ["a control character", head([...LINES, "X: \u0000"])],
  ["a deleted character", head([...LINES, "X: \u007f"])],
  ["text after its end", `${head()}X: y\r\n\r\n`],
];

test.each(NOT_PLAIN)("%s is for node:http", (_name, text) => {
  expect(readPlainHead(text)).toBeNull();
});

const PIECES = `Host: a|Host : b|Content-Length: 0|Content-Length: 00|content-length:0|Connection: keep-alive|
Connection:close|X-A: 1|x-a:2|X-B:|X-C: \t|X-D: a: b|X-E: a\tb|Expect: x|Accept: */*|X-F: \u00e9|X_G: 1|Te: x| X-H: 1|
Transfer-Encoding: identity|Constructor: 1|X-I: a\rb`.split(/\|\n?/);

describe("whatever is read as plain", () => {
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push({
      method: request.method,
      url: request.url,
      headers: { ...request.headers },
      rawHeaders: request.rawHeaders,
    });
    request.resume().on("end", () => response.end());
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test("node's strict parser reads in the same way", { timeout: 60_000 }, async () => {
    // listen(0) on TCP gives an address with a port.
    const { port } = server.address() as AddressInfo;
    const piece = constantFrom(...PIECES);
    const first = constantFrom(
      "POST /graphql HTTP/1.1",
      "POST /graphql HTTP/1.0",
      "POST /a//b HTTP/1.1",
      "POST / HTTP/1.1",
    );
    const property = asyncProperty(first, array(piece, { maxLength: 7 }), async (line, lines) => {
      const text = head(lines, line);
      const plain = readPlainHead(text);
      if (plain === null) return;
      seen.length = 0;
      const client = rawClient(port, text);
      await client.waitFor(/\r\n\r\n/);
      client.socket.destroy();
      const { contentLength, ...asNode } = plain;
      expect(contentLength).toBe(0);
      expect(seen).toEqual([asNode]);
    });
    await assert(property, { numRuns: 1_000 });
  });
});
