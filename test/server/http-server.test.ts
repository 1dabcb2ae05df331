import { once } from "node:events";
import type { RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ServerLimits } from "../../src/config/load.ts";
import { createHttpServer } from "../../src/server/http-server.ts";
import { TEST_SERVER_LIMITS } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { rawClient } from "../support/raw-client.ts";

const get = "GET / HTTP/1.1\r\nHost: gateway\r\n\r\n";

async function start(listener: RequestListener, limits: Partial<ServerLimits> = {}) {
  const server = createHttpServer(listener, { ...TEST_SERVER_LIMITS, ...limits });
  onTestFinished(async () => void (await server.close({ timeoutMs: 0 })));
  return { server, port: await server.listen({ host: "127.0.0.1", port: 0 }) };
}

const hello: RequestListener = (_request, response) => response.end("hello");
const large: RequestListener = (_request, response) => response.end(Buffer.alloc(30_000_000));

describe("slow readers", () => {
  test("one that never reads is dropped, whatever it goes on sending", async () => {
    const { port, server } = await start(large, { socketTimeoutMs: 200 });
    const client = rawClient(port, get);
    client.socket.pause();
    await expect.poll(() => server.connections(), patience).toBe(1);
    const bytes = setInterval(() => client.socket.write("G"), 50);
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

test("a server that closes lets a slow reader take its whole response", async () => {
  const { port, server } = await start(large);
  const { socket, closed } = rawClient(port, get);
  await once(socket, "data");
  socket.pause();
  const ended = server.close({ timeoutMs: 15_000 });
  await sleep(500);
  socket.resume();
  await closed;
  expect([socket.bytesRead > 30_000_000, await ended]).toEqual([true, true]);
});
