import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { raw, rawClient } from "../support/raw-client.ts";

const at = useGateway(
  beforeAll,
  {},
  { server: { headersTimeoutMs: 400, requestTimeoutMs: 600, socketTimeoutMs: 5_000 } },
);
beforeEach(() => {
  at.authentik.requests.length = 0;
});

const BODY = '{"query":"{plexConnection(id:5){user}}"}';
const SMUGGLED = `POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer smuggled\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const head = (...lines: string[]): string =>
  ["POST /graphql HTTP/1.1", "Host: a", "Content-Type: application/json", ...lines, "\r\n"].join("\r\n");
const CHUNKED = head("Transfer-Encoding: chunked");

describe("what is no request of HTTP is refused, with whatever is hidden in it", () => {
  const forms: Record<string, string> = {
    "length and chunks": `${head("Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${SMUGGLED}`,
    "an unknown coding": `${head("Transfer-Encoding: xchunked")}0\r\n\r\n${SMUGGLED}`,
    "two lengths": `${head("Content-Length: 0", `Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
    "a bare line feed": `${head(`Content-Length: 0\nX: y`)}${SMUGGLED}`,
    "a folded header": `${head("X: y\r\n Content-Length: 0")}${SMUGGLED}`,
    "no HTTP": "hello\r\n\r\n",
    "headers of 20 kB": `GET /graphql HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
  };
  test.each(Object.entries(forms))("%s", async (name, bytes) => {
    const { status, answers, text } = await raw(at.gateway.url, bytes, { waitMs: 1_500 });
    expect(status).toBe(name.startsWith("headers of") ? 431 : 400);
    expect(answers).toBe(1);
    const extensions = { code: expect.any(String), requestId: expect.any(String) };
    const errors = [{ message: expect.any(String), extensions }];
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n")))).toEqual({ errors });
    expect(text).not.toMatch(/node:|node_modules|HPE_|\.ts:/);
    expect(at.authentik.requests).toEqual([]);
  });
});

describe("what takes too long is ended, while others are served", () => {
  const slow: Record<string, string> = {
    "headers that do not end": "POST /graphql HTTP/1.1\r\nHost: a\r\nX: ",
    "a body that does not end": `${head("Content-Length: 1000")}{"query":`,
  };
  test.each(Object.entries(slow))("%s", async (_name, bytes) => {
    const waiting = Promise.all(
      Array.from({ length: 20 }, () => raw(at.gateway.url, bytes, { waitMs: 8_000 })),
    );
    expect((await at.gateway.post("{plexConnection(id:5){user}}")).codes).toEqual([]);
    const answers = await waiting;
    expect(answers.every(({ closedByServer }) => closedByServer)).toBe(true);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(408));
  });
});

test("a connection that never says anything is closed", async () => {
  const { text, closedByServer } = await raw(at.gateway.url, "", { waitMs: 8_000 });
  expect([text, closedByServer]).toEqual([expect.stringMatching(/^$|^HTTP\/1\.1 408 /), true]);
});

describe("what is too large is refused without being read", () => {
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const chunks = chunk.repeat(40);
  const refused: [name: string, status: number, bytes: string][] = [
    ["in chunks that does not say so", 413, `${CHUNKED}${chunks}`],
    ["of another type", 415, `${CHUNKED.replace("json", "x-json")}${chunks}`],
  ];
  test.each(refused)(
    "a body of 2.6 MB %s: the refusal reaches who is still sending",
    async (_name, status, bytes) => {
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => raw(at.gateway.url, bytes, { waitMs: 8_000 })),
      );
      expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(status));
      expect(answers[0]?.text).toContain(status === 413 ? '"LIMIT_EXCEEDED"' : '"BAD_REQUEST"');
      expect(answers.every(({ closedByServer }) => closedByServer)).toBe(true);
    },
  );

  test("a body that goes on for ever: its connection ends soon after the refusal", async () => {
    const { socket, closed } = rawClient(Number(at.gateway.url.port), CHUNKED);
    const more = setInterval(() => socket.write(chunk), 5);
    const text = await closed;
    clearInterval(more);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });
});

test("CONNECT opens no tunnel", async () => {
  const { host } = at.authentik.url;
  const bytes = `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\nGET /api/v3/ HTTP/1.1\r\n\r\n`;
  const { status, closedByServer } = await raw(at.gateway.url, bytes);
  expect([status, closedByServer]).toEqual([0, true]);
  expect(at.authentik.requests).toEqual([]);
});
