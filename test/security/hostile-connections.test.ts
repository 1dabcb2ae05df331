import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildCli } from "../process/cli.ts";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { ask } from "../support/ask.ts";
import type { ServerProcess } from "./support/child.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import { postText, raw } from "../support/raw-client.ts";

let authentik: FakeAuthentik;
let gateway: ServerProcess;

beforeAll(async () => {
  await buildCli();
  authentik = await startFakeAuthentik();
  gateway = await startGatewayProcess(authentik.url, {
    env: { HEADERS_TIMEOUT_MS: "500", REQUEST_TIMEOUT_MS: "1000", SOCKET_TIMEOUT_MS: "5000" },
  });
});
afterAll(async () => {
  await gateway.stop();
  await authentik.close();
});
beforeEach(() => {
  authentik.requests.length = 0;
});

const BODY = '{"query":"{plexConnection(id:5){user}}"}';
const SMUGGLED = `POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer smuggled\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const head = (...lines: string[]): string =>
  ["POST /graphql HTTP/1.1", "Host: a", "Content-Type: application/json", ...lines].join("\r\n");

describe("a second request hidden in the first is refused with it", () => {
  const forms: Record<string, string> = {
    "length and chunks": `${head("Content-Length: 4", "Transfer-Encoding: chunked")}\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    "chunks, and a length": `${head("Transfer-Encoding: chunked", "Content-Length: 4")}\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    "an unknown coding": `${head("Transfer-Encoding: xchunked")}\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    "chunked twice": `${head("Transfer-Encoding: chunked, identity")}\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    "two lengths": `${head("Content-Length: 0", `Content-Length: ${SMUGGLED.length}`)}\r\n\r\n${SMUGGLED}`,
    "a bare line feed": `${head(`Content-Length: 0\nX: y`)}\r\n\r\n${SMUGGLED}`,
    "a space before the colon": `${head("Content-Length : 0")}\r\n\r\n${SMUGGLED}`,
    "a negative length": `${head("Content-Length: -1")}\r\n\r\n${SMUGGLED}`,
    "a length with a sign": `${head("Content-Length: +0")}\r\n\r\n${SMUGGLED}`,
    "a folded header": `${head("X: y\r\n Content-Length: 0")}\r\n\r\n${SMUGGLED}`,
    "a broken chunk": `${head("Transfer-Encoding: chunked")}\r\n\r\n1;\n\r\nZZ\r\n0\r\n\r\n${SMUGGLED}`,
    "no Host": "POST /graphql HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
  };
  test.each(Object.entries(forms))("%s", async (_name, bytes) => {
    const { status, answers } = await raw(gateway.url, bytes, { waitMs: 1_500 });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(answers).toBe(1);
    // The probe of readiness has no credential.
    expect(JSON.stringify(authentik.requests)).not.toContain("smuggled");
  });
});

describe("what takes too long is ended, while others are served", () => {
  const slow: Record<string, string> = {
    "headers that do not end": "POST /graphql HTTP/1.1\r\nHost: a\r\nX: ",
    "a body that does not end": `${head("Content-Length: 1000")}\r\n\r\n{"query":`,
    "chunks that do not end": `${head("Transfer-Encoding: chunked")}\r\n\r\n5\r\n{"que`,
  };
  test.each(Object.entries(slow))("%s", async (_name, bytes) => {
    const waiting = Promise.all(Array.from({ length: 20 }, () => raw(gateway.url, bytes, { waitMs: 8_000 })));
    expect((await ask(gateway.url, "{plexConnection(id:5){user}}")).codes).toEqual([]);
    const answers = await waiting;
    expect(answers.every(({ closedByServer }) => closedByServer)).toBe(true);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(408));
  });
});

describe("what is too large is refused without being read", () => {
  test("a body that says it is 50 MB", async () => {
    const { status, text, closedByServer } = await raw(
      gateway.url,
      `${head("Content-Length: 52428800")}\r\n\r\n${"x".repeat(10_000)}`,
    );
    expect(status).toBe(413);
    expect(text).toContain('"LIMIT_EXCEEDED"');
    expect(closedByServer).toBe(true);
  });

  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const chunks = chunk.repeat(120);
  const refused: [name: string, status: number, bytes: string][] = [
    ["in chunks that does not say so", 413, `${head("Transfer-Encoding: chunked")}\r\n\r\n${chunks}`],
    ["that says so and comes all the same", 413, `${head("Content-Length: 52428800")}\r\n\r\n${chunks}`],
    [
      "of another type",
      415,
      `${head("Transfer-Encoding: chunked").replace("json", "x-json")}\r\n\r\n${chunks}`,
    ],
    [
      "in two codings",
      415,
      `${head("Transfer-Encoding: chunked", "Content-Encoding: gzip")}\r\n\r\n${chunks}`,
    ],
  ];
  test.each(refused)(
    "a body of 8 MB %s: the refusal reaches who is still sending",
    async (_name, status, bytes) => {
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => raw(gateway.url, bytes, { waitMs: 8_000 })),
      );
      expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(status));
      expect(answers.every(({ closedByServer }) => closedByServer)).toBe(true);
    },
  );

  test("a body that goes on for ever: its connection ends soon after the refusal", async () => {
    const socket = connect(Number(gateway.url.port), gateway.url.hostname);
    let text = "";
    socket.on("data", (data) => (text += String(data))).on("error", () => {});
    socket.write(`${head("Transfer-Encoding: chunked")}\r\n\r\n`);
    const more = setInterval(() => socket.write(chunk), 5);
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(more);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("headers and URLs", async () => {
    expect((await raw(gateway.url, `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`)).status).toBe(
      431,
    );
    expect(
      (await raw(gateway.url, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(100_000)}\r\n\r\n`)).status,
    ).toBe(431);
    const many = Array.from({ length: 200 }, (_, index) => `X${index}: y`);
    expect((await raw(gateway.url, postText(BODY, many))).status).toBe(431);
  });
});

test("duplicate keys in an envelope: the last one counts, as everywhere in JSON", async () => {
  const { text } = await raw(gateway.url, postText('{"query":"{nothing}","query":"{__typename}"}'));
  expect(text).toContain('{"data":{"__typename":"Query"}}');
});

describe("what HTTP offers beside requests", () => {
  test("CONNECT opens no tunnel", async () => {
    const { status, closedByServer } = await raw(
      gateway.url,
      `CONNECT ${authentik.url.host} HTTP/1.1\r\nHost: ${authentik.url.host}\r\n\r\nGET /api/v3/ HTTP/1.1\r\n\r\n`,
    );
    expect(status).not.toBe(200);
    expect(closedByServer).toBe(true);
    expect(JSON.stringify(authentik.requests)).not.toContain("smuggled");
  });

  test("Upgrade changes nothing", async () => {
    const lines = [
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    const bytes = postText('{"query":"{__typename}"}', lines).replace("Connection: close\r\n", "");
    const { status } = await raw(gateway.url, bytes, { waitMs: 500 });
    expect(status).toBe(200);
  });

  test("an expectation that nobody can meet is refused", async () => {
    const { status } = await raw(gateway.url, postText('{"query":"{__typename}"}', ["Expect: gold"]));
    expect(status).toBe(417);
  });

  test("hundreds of requests at once on one connection are all answered, in order", async () => {
    const posts = Array.from({ length: 500 }, (_, index) =>
      postText(`{"query":"{a${index}:__typename}"}`).replace("Connection: close\r\n", ""),
    );
    const { text, answers } = await raw(gateway.url, posts.join("") + postText("{"), { waitMs: 60_000 });
    expect([...text.matchAll(/\{"a(\d+)":"Query"\}/g)].map(([, index]) => Number(index))).toEqual(
      posts.map((_, index) => index),
    );
    expect(answers).toBe(501);
  }, 60_000);
});
