import type { RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createNodeServer, type NodeServer } from "../../src/http/node-server.ts";
import type { ServePlain } from "../../src/http/plain-connection.ts";
import type { PlainHead } from "../../src/http/plain-head.ts";
import type { Recipient } from "../../src/http/recipient.ts";
import { patience } from "../process/patience.ts";
import { rawClient } from "../process/raw-client.ts";
import { TEST_SERVER_LIMITS } from "../support/gateway.ts";

const started: NodeServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close({ timeoutMs: 0 })));
});

const post = (body: string, lines: readonly string[] = []): string =>
  `${["POST /graphql HTTP/1.1", "Host: a", `Content-Length: ${Buffer.byteLength(body)}`, ...lines].join("\r\n")}\r\n\r\n${body}`;
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const reply = (recipient: Recipient, body: string, close = false): void =>
  recipient.send({ status: 200, mediaType: "application/json", body }, { requestId: "r", close });

/** Answers with the body and the X-Caller of the head it was admitted with. */
const echo =
  (head: PlainHead): ServePlain =>
  (body, recipient) =>
    reply(recipient, `<plain ${head.headers["x-caller"] ?? ""}${body}>`);

/** Answers through node:http with what it got. */
const listener: RequestListener = (request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += String(chunk)));
  request.on("end", () => response.end(`<node ${request.method ?? ""} ${body}>`));
};

async function start(
  admit: (head: PlainHead) => ServePlain | null = echo,
  limits: Partial<typeof TEST_SERVER_LIMITS> = {},
) {
  const server = createNodeServer(listener, { ...TEST_SERVER_LIMITS, ...limits, admit });
  started.push(server);
  return { server, port: await server.listen({ host: "127.0.0.1", port: 0 }) };
}

const answersIn = (text: string): string[] => text.match(/<[^>]*>/g) ?? [];

describe("plain requests", () => {
  test("are answered one after the other on one connection, as node:http writes answers", async () => {
    const { port } = await start();
    const client = rawClient(port, post("1"));
    await client.waitFor(/<plain 1>/);
    client.socket.write(post("\u00e9\u{1f600}"));
    const text = await client.waitFor(/<plain .*<plain .*>/s);
    expect(text).toMatch(
      /^HTTP\/1\.1 200 OK\r\ncontent-type: application\/json; charset=utf-8\r\ncontent-length: 9\r\nx-request-id: r\r\n/,
    );
    expect(text).toMatch(
      /\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=95\r\n\r\n/,
    );
    expect(Buffer.from(text, "latin1").toString("utf8")).toContain("content-length: 14\r\n");
    expect(Buffer.from(text, "latin1").toString("utf8")).toContain("<plain \u00e9\u{1f600}>");
  });

  test("are told apart by their heads, whatever came before on the connection", async () => {
    const heads: PlainHead[] = [];
    const { port } = await start((head) => {
      heads.push(head);
      return echo(head);
    });
    const client = rawClient(port);
    client.socket.setMaxListeners(0);
    const callers = ["a", "a", "b", "a", "", "aa", "b", "b"];
    for (const [index, caller] of callers.entries()) {
      client.socket.write(post("!", caller === "" ? [] : [`X-Caller: ${caller}`]));
      await client.waitFor(new RegExp(`(?:<[^]*){${index + 1}}>`));
    }
    expect(answersIn(client.received())).toEqual(callers.map((caller) => `<plain ${caller}!>`));
    // Only the head before is remembered.
    expect(heads).toHaveLength(6);
  });

  test("have their heads read anew where they are too long to be remembered", async () => {
    let admitted = 0;
    const { port } = await start((head) => {
      admitted += 1;
      return echo(head);
    });
    const client = rawClient(port);
    for (const count of [1, 2]) {
      client.socket.write(post("!", [`X-Long: ${"x".repeat(5_000)}`]));
      await client.waitFor(new RegExp(`(?:<[^]*){${count}}>`));
    }
    expect(admitted).toBe(2);
  });

  test("may come in pieces, cut anywhere", async () => {
    const { port } = await start(echo, { headersTimeoutMs: 600_000, requestTimeoutMs: 600_000 });
    const client = rawClient(port);
    client.socket.setMaxListeners(0);
    const bytes = post("body", ["X-Caller: c"]);
    for (let cut = 1; cut < bytes.length; cut += 7) {
      client.socket.write(bytes.slice(0, cut));
      await sleep(2);
      client.socket.write(bytes.slice(cut));
      await client.waitFor(new RegExp(`(?:<[^]*){${Math.ceil(cut / 7)}}>`));
    }
    expect(new Set(answersIn(client.received()))).toEqual(new Set(["<plain cbody>"]));
  });

  test("that come before their predecessor was answered wait for it", async () => {
    const waiting: Recipient[] = [];
    const { port } = await start(() => (_body, recipient) => void waiting.push(recipient));
    const client = rawClient(port, post("1"));
    await expect.poll(() => waiting.length, patience).toBe(1);
    client.socket.write(post("2"));
    await sleep(50);
    expect(waiting).toHaveLength(1);
    if (waiting[0]) reply(waiting[0], "<1>");
    await expect.poll(() => waiting.length, patience).toBe(2);
    if (waiting[1]) reply(waiting[1], "<2>");
    expect(answersIn(await client.waitFor(/<2>/))).toEqual(["<1>", "<2>"]);
  });

  test("are answered once, however often somebody tries", async () => {
    const { port } = await start(() => (body, recipient) => {
      reply(recipient, `<${body}>`);
      reply(recipient, "<twice>");
    });
    const client = rawClient(port, post("1"));
    await client.waitFor(/<1>/);
    client.socket.write(post("2"));
    expect(answersIn(await client.waitFor(/<2>/))).toEqual(["<1>", "<2>"]);
  });

  test("tell when the client leaves, and write nothing then", async () => {
    let left = 0;
    let waiting: Recipient | undefined;
    const { port, server } = await start(() => (_body, recipient) => {
      waiting = recipient;
      recipient.onLeave(() => (left += 1));
    });
    const client = rawClient(port, post("1"));
    await expect.poll(() => waiting, patience).toBeDefined();
    client.socket.destroy();
    await expect.poll(() => left, patience).toBe(1);
    if (waiting) reply(waiting, "<late>");
    let toldAtOnce = false;
    waiting?.onLeave(() => (toldAtOnce = true));
    expect(toldAtOnce).toBe(true);
    expect(server.connections()).toBe(0);
  });
});

describe("everything else is node:http's", () => {
  test.each([
    ["another method", GET, "<node GET >"],
    ["what is not admitted", post("no", ["X-Refuse: 1"]), "<node POST no>"],
    [
      "chunks",
      "POST /graphql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
      "<node POST hi>",
    ],
  ])("%s, on a new connection and after plain requests", async (_name, bytes, expected) => {
    const { port } = await start((head) => (head.headers["x-refuse"] === undefined ? echo(head) : null));
    expect(answersIn(await rawClient(port, bytes).waitFor(/>/))).toEqual([expected]);
    const client = rawClient(port, post("1"));
    await client.waitFor(/<plain 1>/);
    client.socket.write(bytes);
    await client.waitFor(/<node/);
    client.socket.write(post("2"));
    // Once given away, a connection stays with node:http.
    expect(answersIn(await client.waitFor(/<node POST 2>/))).toEqual([
      "<plain 1>",
      expected,
      "<node POST 2>",
    ]);
  });

  test("several requests at once, in their order", async () => {
    const { port } = await start();
    const client = rawClient(port, post("1") + post("2") + GET);
    await client.waitFor(/<node GET >/);
    expect(answersIn(client.received())).toEqual(["<node POST 1>", "<node POST 2>", "<node GET >"]);
  });

  test("a request without end, which is answered with 408", async () => {
    const { port } = await start(echo, { headersTimeoutMs: 300, requestTimeoutMs: 600 });
    const clients = [
      rawClient(port, post("12345").slice(0, -2)),
      rawClient(port, post("12345").slice(0, 40)),
    ];
    for (const client of clients) expect(await client.closed).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  test("a head without end, which is answered with 431", async () => {
    const { port } = await start();
    const client = rawClient(port, `POST /graphql HTTP/1.1\r\nX: ${"x".repeat(20_000)}`);
    expect(await client.closed).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("what arrives with the end of a slow request", async () => {
    const { port } = await start(echo, { headersTimeoutMs: 5_000, requestTimeoutMs: 5_000 });
    const bytes = post("12345");
    const client = rawClient(port, bytes.slice(0, -2));
    await sleep(700);
    client.socket.write(bytes.slice(-2));
    expect(answersIn(await client.waitFor(/>/))).toEqual(["<node POST 12345>"]);
  });
});

describe("connections", () => {
  test("that never say anything are closed", async () => {
    const { port } = await start(echo, { headersTimeoutMs: 300 });
    expect(await rawClient(port).closed).toBe("");
  });

  test("that are idle are closed after the keep-alive timeout", async () => {
    const { port } = await start(echo, { keepAliveTimeoutMs: 300 });
    expect(answersIn(await rawClient(port, post("1")).closed)).toEqual(["<plain 1>"]);
  });

  test("that wait for a slow answer are not", async () => {
    const { port } = await start(
      () => (_body, recipient) => void sleep(900).then(() => reply(recipient, "<late>")),
      {
        headersTimeoutMs: 200,
        requestTimeoutMs: 200,
        keepAliveTimeoutMs: 200,
        socketTimeoutMs: 200,
      },
    );
    expect(answersIn(await rawClient(port, post("1")).waitFor(/>/))).toEqual(["<late>"]);
  });

  test("whose client does not read are dropped", async () => {
    const large = "x".repeat(30_000_000);
    const { port, server } = await start(() => (_body, recipient) => reply(recipient, large), {
      socketTimeoutMs: 300,
    });
    const client = rawClient(port, post("1"));
    client.socket.pause();
    await expect.poll(() => server.connections(), patience).toBe(1);
    await expect.poll(() => server.connections(), patience).toBe(0);
    client.socket.destroy();
  });

  test("whose client reads steadily are not, until one answer takes too long", async () => {
    const large = "x".repeat(30_000_000);
    const { port, server } = await start(() => (_body, recipient) => reply(recipient, large), {
      socketTimeoutMs: 600,
      answerTimeoutMs: 2_000,
    });
    const client = rawClient(port, post("1"));
    client.socket.pause();
    client.socket.on("readable", () => {});
    const sips = setInterval(() => client.socket.read(65_536), 20);
    await expect.poll(() => server.connections(), patience).toBe(1);
    await sleep(1_500);
    expect(server.connections(), "progress counts").toBe(1);
    await expect.poll(() => server.connections(), patience).toBe(0);
    clearInterval(sips);
    client.socket.destroy();
  });

  test("end with an answer that says so", async () => {
    const { port } = await start(() => (_body, recipient) => reply(recipient, "<last>", true));
    const text = await rawClient(port, post("1")).closed;
    expect(text).toMatch(/\r\nconnection: close\r\n/);
    expect(text).not.toContain("Keep-Alive");
    expect(text).toMatch(/<last>$/);
  });

  test("of clients that say that nothing more will come are closed", async () => {
    const { port, server } = await start();
    const client = rawClient(port, post("1"));
    await client.waitFor(/<plain 1>/);
    client.socket.end();
    await client.closed;
    await expect.poll(() => server.connections(), patience).toBe(0);
  });

  test("owe their answers when the server closes, and nothing else", async () => {
    let waiting: Recipient | undefined;
    const { port, server } = await start((head) =>
      head.headers["x-caller"] === undefined ? (_body, recipient) => void (waiting = recipient) : echo(head),
    );
    const busy = rawClient(port, post("1"));
    const idle = rawClient(port, post("2", ["X-Caller: c"]));
    const silent = rawClient(port);
    const half = rawClient(port, "POST /gra");
    await idle.waitFor(/>/);
    await expect.poll(() => server.connections() === 4 && waiting !== undefined, patience).toBe(true);
    const closing = server.close({ timeoutMs: 5_000 });
    await Promise.all([idle.closed, silent.closed, half.closed]);
    if (waiting) reply(waiting, "<owed>");
    expect(await busy.closed).toMatch(/<owed>$/);
    expect(await closing).toBe(true);
  });
});
