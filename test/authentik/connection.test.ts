import { createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { Answer } from "../../src/authentik/exchange.ts";
import { createTransport, type Transport } from "../../src/authentik/transport.ts";

/** Answers the nth request of all, from 0, with bytes. */
type Script = (socket: Socket, request: number) => void;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Upstream {
  transport: Transport;
  /** The requests of each connection. */
  connections: string[][];
  openNow: () => number;
}

async function start(script: Script): Promise<Upstream> {
  const connections: string[][] = [];
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    const heard: string[] = [];
    connections.push(heard);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard.push(String(bytes));
      script(socket, requests++);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // listen(0) on TCP gives an address with a port.
  const { port } = server.address() as AddressInfo;
  const transport = createTransport({
    url: new URL(`http://127.0.0.1:${port}`),
    userAgent: "test",
    connectTimeoutMs: 1_000,
    maxResponseBytes: 100_000,
  });
  closing.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => sockets.forEach((socket) => socket.destroy()),
    () => transport.close(),
  );
  return { transport, connections, openNow: () => sockets.size };
}

/** One GET, to its end and the rest of a turn after it. */
async function get({ transport }: Upstream, path = "/x/"): Promise<Answer> {
  const answer = await new Promise<Answer>((resolve, reject) => {
    transport.send(
      { path, requestId: "r", authorization: "Bearer t" },
      { onSent() {}, onAnswer: resolve, onFailure: reject },
    );
  });
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return answer;
}

const head = (lines: readonly string[], status = "200 OK", version = "1.1"): string =>
  `${[`HTTP/${version} ${status}`, ...lines].join("\r\n")}\r\n\r\n`;
const plain = (body: string, lines: readonly string[] = []): string =>
  head(["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`, ...lines]) + body;
const chunked = (body: string): string =>
  `${head(["Content-Type: application/json", "Transfer-Encoding: chunked"])}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

describe("an answer is read whole", () => {
  test.each<[string, Script]>([
    ["in one piece", (socket) => socket.write(plain("\u00e9{}", ["X-Authentik-Id: 1", "RETRY-AFTER:\t5 "]))],
    [
      "in single bytes",
      async (socket) => {
        for (const byte of Buffer.from(plain("\u00e9{}", ["X-Authentik-Id: 1", "Retry-After: 5"]))) {
          socket.write(Buffer.from([byte]));
          await new Promise(setImmediate);
        }
      },
    ],
    [
      "in chunks",
      (socket) =>
        socket.write(
          head([
            "Content-Type: application/json",
            "X-Authentik-Id: 1",
            "Retry-After: 5",
            "Transfer-Encoding: chunked",
          ]) + "4\r\n\u00e9{}\r\n0\r\n\r\n",
        ),
    ],
    [
      "until the connection ends",
      (socket) =>
        socket.end(
          `${head(["Content-Type: application/json", "X-Authentik-Id: 1", "Retry-After: 5"])}\u00e9{}`,
        ),
    ],
    [
      "after an interim answer",
      (socket) =>
        socket.write(
          head(["Link: </x>"], "103 Early Hints") +
            plain("\u00e9{}", ["X-Authentik-Id: 1", "Retry-After: 5"]),
        ),
    ],
    [
      "from HTTP/1.0",
      (socket) =>
        socket.end(
          `${head(["Content-Type: application/json", "Content-Length: 4", "X-Authentik-Id: 1", "Retry-After: 5"], "200 OK", "1.0")}\u00e9{}`,
        ),
    ],
  ])("%s", async (_how, script) => {
    expect(await get(await start(script))).toEqual({
      status: 200,
      contentType: "application/json",
      retryAfter: "5",
      upstreamRequestId: "1",
      body: "\u00e9{}",
      bytes: 4,
    });
  });

  test("without a body where there is none", async () => {
    const upstream = await start((socket) => socket.write(head(["Content-Length: 0"], "404 Not Found")));
    expect(await get(upstream)).toMatchObject({ status: 404, body: "", bytes: 0 });
  });
});

describe("a connection carries one request after the other", () => {
  test.each<[string, Script]>([
    ["plain answers", (socket, n) => socket.write(plain(`${n}`))],
    ["chunks", (socket, n) => socket.write(chunked(`${n}`))],
    [
      "chunks that end later",
      (socket, n) => {
        socket.write(chunked(`${n}`).slice(0, -3));
        setTimeout(() => socket.write("\n\r\n"), 20);
      },
    ],
    [
      "plain answers that say so",
      (socket, n) => socket.write(plain(`${n}`, ["Connection: keep-alive", "Keep-Alive: timeout=60"])),
    ],
  ])("of %s", async (_what, script) => {
    const upstream = await start(script);
    for (const n of [0, 1, 2]) expect((await get(upstream)).body).toBe(`${n}`);
    expect(upstream.connections.map((requests) => requests.length)).toEqual([3]);
    expect(upstream.connections[0]?.[2]).toBe(
      "GET /api/v3/x/ HTTP/1.1\r\n" +
        `Host: ${/Host: (.*)\r/.exec(upstream.connections[0]?.[2] ?? "")?.[1]}\r\nConnection: keep-alive\r\n` +
        "Accept: application/json\r\nAccept-Language: en\r\nUser-Agent: test\r\nX-Request-Id: r\r\nAuthorization: Bearer t\r\n\r\n",
    );
  });

  test("but takes no second one before the first is answered", async () => {
    const upstream = await start((socket, n) => setTimeout(() => socket.write(plain(`${n}`)), 30));
    await Promise.all([get(upstream), get(upstream)]);
    await get(upstream);
    expect(upstream.connections.map((requests) => requests.length).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });
});

describe("a connection is not used again", () => {
  test.each<[string, Script]>([
    ["when the answer says so", (socket, n) => socket.write(plain(`${n}`, ["Connection: close"]))],
    ["when the answer ends with it", (socket, n) => socket.end(`${head(["Content-Type: x"])}${n}`)],
    [
      "when HTTP/1.0 does not say that it stays",
      (socket, n) => socket.write(head(["Content-Length: 1"], "200 OK", "1.0") + `${n}`),
    ],
    [
      "when more came than the answer",
      (socket, n) => socket.write(`${plain(`${n}`)}${plain("somebody else's")}`),
    ],
    [
      "when more came than the chunks",
      (socket, n) => socket.write(`${chunked(`${n}`)}${plain("somebody else's")}`),
    ],
    [
      "when more comes right after the answer",
      (socket, n) => {
        socket.write(plain(`${n}`));
        setTimeout(() => socket.write(plain("somebody else's")), 1);
      },
    ],
    ["when it is soon to be closed", (socket, n) => socket.write(plain(`${n}`, ["Keep-Alive: timeout=1"]))],
    ["when it has been closed", (socket, n) => socket.end(plain(`${n}`))],
  ])("%s", async (_when, script) => {
    const upstream = await start(script);
    for (const n of [0, 1, 2]) {
      expect((await get(upstream)).body).toBe(`${n}`);
      await sleep(20);
    }
    expect(upstream.connections.map((requests) => requests.length)).toEqual([1, 1, 1]);
  });

  test("when it has been idle for four seconds", async () => {
    const upstream = await start((socket, n) => socket.write(plain(`${n}`)));
    await get(upstream);
    await expect.poll(upstream.openNow, { timeout: 8_000 }).toBe(0);
    expect((await get(upstream)).body).toBe("1");
    expect(upstream.connections).toHaveLength(2);
  });
});

describe("an exchange fails, and its connection ends", () => {
  test.each<[string, Script, string]>([
    ["the other side closes before an answer", (socket) => socket.end(), "UND_ERR_SOCKET"],
    [
      "the other side closes in the middle",
      (socket) => socket.end(plain("12345").slice(0, -1)),
      "UND_ERR_SOCKET",
    ],
    ["the other side resets", (socket) => socket.resetAndDestroy(), "ECONNRESET"],
    ["the answer is no HTTP", (socket) => socket.write("hello\r\n\r\n"), "HTTPParserError"],
    [
      "there are two lengths",
      (socket) => socket.write(plain("12", ["Content-Length: 1"])),
      "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
    ],
    [
      "there are a length and chunks",
      (socket) => socket.write(plain("12", ["Transfer-Encoding: chunked"])),
      "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
    ],
    [
      "a header is folded",
      (socket) => socket.write(plain("12", ["X: a\r\n b"])),
      "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
    ],
    [
      "the answer says that it is too large",
      (socket) => socket.write(head(["Content-Length: 100001"])),
      "UND_ERR_RES_EXCEEDED_MAX_SIZE",
    ],
    [
      "the answer is too large",
      (socket) => socket.write(chunked("x".repeat(100_001))),
      "UND_ERR_RES_EXCEEDED_MAX_SIZE",
    ],
    [
      "the headers are too large",
      (socket) => socket.write(plain("12", [`X: ${"x".repeat(20_000)}`])),
      "UND_ERR_HEADERS_OVERFLOW",
    ],
    [
      "the headers never end",
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}`),
      "UND_ERR_HEADERS_OVERFLOW",
    ],
  ])("when %s", async (_when, script, code) => {
    const upstream = await start(script);
    const outcome: unknown = await get(upstream).catch((error: unknown) => error);
    // undici's parser has no code for some of what it refuses.
    expect(outcome).toMatchObject(code.includes("_") || code === "ECONNRESET" ? { code } : { name: code });
    await expect.poll(upstream.openNow, { timeout: 2_000 }).toBe(0);
  });

  test.each<[string, Script]>([
    ["before an answer", () => {}],
    ["in the middle of a plain answer", (socket) => socket.write(plain("12345").slice(0, -1))],
    ["in the middle of chunks", (socket) => socket.write(chunked("12345").slice(0, -3))],
  ])("at once when it is cancelled %s", async (_when, script) => {
    let heard = 0;
    const upstream = await start((socket, n) => {
      heard += 1;
      script(socket, n);
    });
    const failures: Error[] = [];
    const cancel = upstream.transport.send(
      { path: "/x/", requestId: "r", authorization: null },
      { onSent() {}, onAnswer: () => {}, onFailure: (error) => failures.push(error) },
    );
    await expect.poll(() => heard, { timeout: 2_000 }).toBe(1);
    await sleep(20);
    cancel();
    expect(failures).toMatchObject([{ code: "UND_ERR_ABORTED" }]);
    cancel();
    await expect.poll(upstream.openNow, { timeout: 2_000 }).toBe(0);
    expect(failures).toHaveLength(1);
  });

  test("but not when it is cancelled after its answer: the connection is another exchange's then", async () => {
    const upstream = await start((socket, n) => setTimeout(() => socket.write(plain(`${n}`)), n * 50));
    let cancelFirst: (() => void) | undefined;
    await new Promise((resolve, reject) => {
      cancelFirst = upstream.transport.send(
        { path: "/x/", requestId: "r", authorization: null },
        { onSent() {}, onAnswer: resolve, onFailure: reject },
      );
    });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const second = get(upstream);
    await sleep(10);
    cancelFirst?.();
    expect((await second).body).toBe("1");
    expect(upstream.connections).toHaveLength(1);
  });
});
