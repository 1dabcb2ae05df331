import { beforeAll, beforeEach, expect, test } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { raw, rawClient } from "../support/raw-client.ts";

const limits = { headersTimeoutMs: 400, requestTimeoutMs: 600, socketTimeoutMs: 5_000 };
const at = useGateway(beforeAll, {}, { server: limits });
beforeEach(() => {
  at.authentik.requests.length = 0;
});

const BODY = '{"query":"{plexConnection(id:5){user}}"}';
const SMUGGLED = `POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer smuggled\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const head = (...lines: string[]): string =>
  ["POST /graphql HTTP/1.1", "Host: a", "Content-Type: application/json", ...lines, "\r\n"].join("\r\n");
const TWO_LENGTHS = head("Content-Length: 4", "Transfer-Encoding: chunked");
const CHUNKED = head("Transfer-Encoding: chunked");

test.each([
  [400, "length and chunks", `${TWO_LENGTHS}0\r\n\r\n${SMUGGLED}`],
  [400, "two lengths", `${head("Content-Length: 0", `Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`],
  [400, "a bare line feed", `${head(`Content-Length: 0\nX: y`)}${SMUGGLED}`],
  [400, "no HTTP", "hello\r\n\r\n"],
  [400, "no Host", `GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n`],
  [400, "CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"],
  [501, "another transfer coding", `${head("Transfer-Encoding: gzip, chunked")}${SMUGGLED}`],
  [431, "headers of 20 kB", `GET /graphql HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
])(
  "what is no request of HTTP is refused with whatever is hidden in it: %i for %s",
  async (status, _form, bytes) => {
    const answer = await raw(at.gateway.url, bytes, { waitMs: 1_500 });
    expect([answer.status, answer.answers]).toEqual([status, 1]);
    const requestId = /^X-Request-Id: (.+)\r$/m.exec(answer.text)?.[1];
    const extensions = { code: expect.any(String), requestId };
    const errors = [{ message: expect.any(String), extensions }];
    expect(JSON.parse(answer.text.slice(answer.text.indexOf("\r\n\r\n")))).toEqual({ errors });
    expect(answer.text).not.toMatch(/node:|node_modules|HPE_|\.ts:/);
    expect(at.authentik.requests).toEqual([]);
  },
);

test.each([
  ["headers that do not end", "POST /graphql HTTP/1.1\r\nHost: a\r\nX: "],
  ["a body that does not end", `${head("Content-Length: 1000")}{"query":`],
])("what takes too long is ended, while others are served: %s", async (what, bytes) => {
  const waiting = Promise.all(
    Array.from({ length: 20 }, () => raw(at.gateway.url, bytes, { waitMs: 8_000 })),
  );
  expect((await at.gateway.post("{plexConnection(id:5){user}}")).codes).toEqual([]);
  for (const { closedByServer, status } of await waiting)
    expect([closedByServer, status]).toEqual([true, 408]);
  const logged = at.gateway.records.filter(({ status }) => status === 408);
  expect(logged).toHaveLength(what === "a body that does not end" ? 20 : 0);
});

const CHUNK = `10000\r\n${"x".repeat(65_536)}\r\n`;

test.each([
  ["in chunks that does not say so", 413, '"LIMIT_EXCEEDED"', CHUNKED],
  ["of another type", 415, '"BAD_REQUEST"', CHUNKED.replace("json", "x-json")],
  ["behind such a one", 415, '"BAD_REQUEST"', `${CHUNKED.replace("json", "x-json")}0\r\n\r\nno HTTP\r\n\r\n`],
])("a body of 2.6 MB %s: the refusal reaches who is still sending", async (_what, status, code, start) => {
  const sending = Array.from({ length: 5 }, () =>
    raw(at.gateway.url, start + CHUNK.repeat(40), { waitMs: 8_000 }),
  );
  for (const answer of await Promise.all(sending)) {
    expect([answer.status, answer.closedByServer]).toEqual([status, true]);
    expect(answer.text).toContain(code);
  }
});

test("a body that goes on for ever: its connection ends soon after the refusal", async () => {
  const { socket, closed } = rawClient(Number(at.gateway.url.port), CHUNKED);
  const more = setInterval(() => socket.write(CHUNK), 5);
  expect(await closed).toMatch(/^HTTP\/1\.1 413 /);
  clearInterval(more);
});

test("who resets the connection after CONNECT ends nothing else", async () => {
  const { socket, waitFor } = rawClient(
    Number(at.gateway.url.port),
    "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
  );
  await waitFor(/ 400 /);
  socket.resetAndDestroy();
  expect((await at.gateway.post("{plexConnection(id:5){user}}")).codes).toEqual([]);
});
