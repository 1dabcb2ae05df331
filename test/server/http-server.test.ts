import type { RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { patience } from "../support/patience.ts";
import type { ServerLimits } from "../../src/config/load.ts";
import { createHttpServer, type HttpServer } from "../../src/server/http-server.ts";
import { rawClient } from "../support/raw-client.ts";

const get = "GET / HTTP/1.1\r\nHost: gateway\r\n\r\n";
const started: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close({ timeoutMs: 0 })));
});

const LIMITS: ServerLimits = {
  headersTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
  socketTimeoutMs: 5000,
  answerTimeoutMs: 60_000,
  keepAliveTimeoutMs: 95_000,
  maxConnections: 100,
};

async function start(listener: RequestListener, limits: Partial<ServerLimits> = {}) {
  const server = createHttpServer(listener, { ...LIMITS, ...limits });
  started.push(server);
  return { server, port: await server.listen({ host: "127.0.0.1", port: 0 }) };
}

const hello: RequestListener = (_request, response) => response.end("hello");
const large: RequestListener = (_request, response) => response.end(Buffer.alloc(30_000_000));

describe("what never becomes a request", () => {
  test.each([
    ["not HTTP", "hello\r\n\r\n", "400 Bad Request"],
    [
      "headers of 20 kB",
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      "431 Request Header Fields Too Large",
    ],
    [
      "a URL of 1 MB",
      `GET /${"x".repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      "431 Request Header Fields Too Large",
    ],
  ])("%s is answered shortly and for the last time", async (_name, bytes, status) => {
    const seen: unknown[] = [];
    const { port } = await start((request) => seen.push(request));
    const answer = await rawClient(port, bytes).closed;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`));
    expect(answer).toContain("\r\nConnection: close\r\n");
    const { errors } = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as { errors: unknown[] };
    expect(errors).toEqual([
      {
        message: expect.any(String),
        extensions: { code: expect.any(String), requestId: expect.any(String) },
      },
    ]);
    expect(answer).not.toMatch(/node:|node_modules|HPE_|\.ts:/);
    expect(seen).toEqual([]);
  });

  test("is answered after the requests before it, and never in the middle of their responses", async () => {
    const { port } = await start((_request, response) => {
      response.writeHead(200, { "Content-Length": 10 });
      response.write("12345");
      response.socket?.once("data", () => setTimeout(() => response.end("67890"), 20));
    });
    const client = rawClient(port, get);
    await client.waitFor(/12345/);
    client.socket.write("not HTTP\r\n\r\n");
    expect(await client.closed).toMatch(/1234567890HTTP\/1\.1 400 Bad Request\r\n/);
  });
});

describe("many requests in one segment", () => {
  test("are answered in order, a few at once, and others have their turn in between", async () => {
    const urls: string[] = [];
    let atOnce = 0;
    let most = 0;
    const { port } = await start((request, response) => {
      most = Math.max(most, ++atOnce);
      urls.push(request.url ?? "");
      setTimeout(() => {
        atOnce -= 1;
        response.end(`<${request.url}>`);
      }, 5);
    });
    const paths = Array.from({ length: 40 }, (_, index) => `/${index}`);
    const client = rawClient(port, paths.map((path) => get.replace("/", path)).join(""));
    await client.waitFor(/<\/0>/);
    const other = rawClient(port, get.replace("/", "/other"));
    await other.waitFor(/<\/other>/);
    const answered = await client.waitFor(/<\/39>/);
    expect(answered.match(/<\/\d+>/g)).toEqual(paths.map((path) => `<${path}>`));
    expect(most).toBeLessThanOrEqual(5);
    expect(urls.indexOf("/other")).toBeLessThan(40);
  });

  test("are not begun while nobody reads the answers", async () => {
    let begun = 0;
    const { port } = await start((_request, response) => {
      begun += 1;
      response.end(Buffer.alloc(10_000_000));
    });
    const client = rawClient(port, get.repeat(12));
    client.socket.pause();
    await sleep(300);
    expect(begun).toBeLessThanOrEqual(4);
    client.socket.resume();
    await expect.poll(() => begun, patience).toBe(12);
    client.socket.destroy();
  });
});

test("a connection that never says anything is closed", async () => {
  const { port } = await start(hello, { headersTimeoutMs: 200, socketTimeoutMs: 200 });
  expect(await rawClient(port).closed).toMatch(/^$|^HTTP\/1\.1 408 /);
});

describe("slow readers", () => {
  test.each([
    ["", false],
    [", but goes on sending,", true],
  ])("one that never reads%s is dropped", async (_but, isSending) => {
    const { port, server } = await start(large, { socketTimeoutMs: 200 });
    const client = rawClient(port, get);
    client.socket.pause();
    await expect.poll(() => server.connections(), patience).toBe(1);
    const bytes = setInterval(() => void (isSending && client.socket.write("G")), 50);
    await expect.poll(() => server.connections(), patience).toBe(0);
    clearInterval(bytes);
    client.socket.destroy();
  });

  test("one that reads steadily, but takes too long for one answer, is dropped", async () => {
    const { port, server } = await start(large, { socketTimeoutMs: 600, answerTimeoutMs: 2000 });
    const client = rawClient(port, get);
    client.socket.pause();
    client.socket.on("readable", () => {});
    const sips = setInterval(() => client.socket.read(65_536), 20);
    await expect.poll(() => server.connections(), patience).toBe(1);
    await sleep(1500);
    expect(server.connections(), "progress counts").toBe(1);
    await expect.poll(() => server.connections(), patience).toBe(0);
    clearInterval(sips);
    client.socket.destroy();
  });

  test("one that waits for a slow answer, or is idle between two requests, is not", async () => {
    const { port, server } = await start(
      (_request, response) => void sleep(300).then(() => response.end("late")),
      { socketTimeoutMs: 100 },
    );
    const client = rawClient(port, get);
    await client.waitFor(/late$/);
    await sleep(300);
    expect(server.connections()).toBe(1);
    client.socket.write(get);
    await client.waitFor(/late.*late$/s);
  });
});

test("an idle connection is closed after the keep-alive timeout", async () => {
  const { port } = await start(hello, { keepAliveTimeoutMs: 50 });
  const client = rawClient(port, get);
  expect(await client.closed).toMatch(/hello$/);
});

test("connections beyond the limit are closed at once, the others served", async () => {
  const { port } = await start(hello, { maxConnections: 2 });
  const first = rawClient(port, get);
  await first.waitFor(/hello$/);
  const second = rawClient(port, get);
  await second.waitFor(/hello$/);
  expect(await rawClient(port, get).closed).toBe("");
  first.socket.write(get);
  await first.waitFor(/hello.*hello$/s);
});
