import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { GraphQLReply } from "../support/ask.ts";
import { page, type Sending, startFakeAuthentik } from "../support/fake-authentik.ts";
import { gatewayForTest, startGateway, type TestGateway, TOKEN } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { connectionBody } from "../support/wire-bodies.ts";

// What happens below HTTP, and what may stand in front of authentik; statuses and shapes are in truth-table.test.ts.

const QUERY = "{plexConnection(id:5){pk user}}";
const JSON_TYPE = { "Content-Type": "application/json" };

/** Writes these bytes below HTTP, and ends the connection. */
const bytes =
  (all: string | Buffer): Sending =>
  ({ socket }) =>
    void socket?.end(all);

const text =
  (status: number, body: string | Buffer, headers: Record<string, string>): Sending =>
  (response) =>
    void response.writeHead(status, headers).end(body);

const LOST = { code: "UPSTREAM_UNAVAILABLE", requests: 2, told: /./ };
const FAILED = { code: "UPSTREAM_ERROR", requests: 1, told: /./ };
const INVALID = { code: "UPSTREAM_INVALID_RESPONSE", requests: 1, told: /./ };
/** No waiting helps: the operator must act. */
const SPEAKS_TLS = {
  code: "UPSTREAM_UNAVAILABLE",
  requests: 1,
  told: /where none can answer\. Tell the gateway's operator/,
};
const TRY_HTTPS = /the port speaks TLS: try https:\/\/$/;
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n";

/** How it answers, what the caller gets, and what the operator reads. */
const FAULTS: [name: string, answer: Sending, expected: typeof LOST, detail: RegExp][] = [
  ["ends in the middle of the body", bytes(`${HEAD}{"pk":`), LOST, /ended before the answer did/],
  [
    "fails in its application as a recycled worker does",
    text(500, "Internal Server Error", {
      "Content-Type": "text/plain",
      "X-authentik-id": "0123456789abcdef",
    }),
    FAILED,
    /^text\/plain, 21 bytes$/,
  ],
  [
    "sends interim answers without end",
    bytes("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(100_000)),
    INVALID,
    /interim answers \(1xx\)/,
  ],
  [
    "takes plain HTTP for a mistake",
    page(400, "Client sent an HTTP request to an HTTPS server."),
    SPEAKS_TLS,
    TRY_HTTPS,
  ],
  [
    "takes plain HTTP for TLS, and says so in TLS",
    bytes(Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46])),
    SPEAKS_TLS,
    TRY_HTTPS,
  ],
  [
    "is hidden by a proxy that answers with a page",
    page(403, "Blocked at 10.1.2.3"),
    INVALID,
    /^text\/html, \d+ bytes; the answer is not from authentik's API: .*what stands in front of it/,
  ],
  [
    "compresses 20 MB into 20 KB unasked",
    text(200, gzipSync(Buffer.alloc(20_000_000)), { ...JSON_TYPE, "Content-Encoding": "gzip" }),
    INVALID,
    /Content-Encoding gzip/,
  ],
  ["sends what is no HTTP", bytes("\u0001 no protocol at all \r\n\r\n"), INVALID, /is not HTTP/],
];

/** Nothing of authentik, of where it is or of how we are built reaches a client. */
function expectNoLeak({ text, headers }: GraphQLReply, url: URL): void {
  const all = text + JSON.stringify([...headers]);
  expect(all).not.toMatch(/10\.1\.2\.3|<html|node_modules|\.[jt]s:\d|undici|UND_ERR|ECONN|HPE_/);
  expect(all).not.toContain(url.host);
  expect(all).not.toContain(TOKEN);
}

async function expectUsable(gateway: TestGateway): Promise<void> {
  const { result } = await gateway.post(QUERY);
  expect(result).toEqual({ data: { plexConnection: { pk: 5, user: 1_005 } } });
}

describe("an authentik that", () => {
  test.each(FAULTS)("%s", async (_name, fault, { code, requests, told }, detail) => {
    // One place, which each call must give back.
    const { authentik, gateway } = await gatewayForTest({ authentik: { concurrency: 1 } });
    authentik.answer((_request, response) => fault(response));
    const answer = await gateway.post(QUERY);
    expect([answer.status, answer.data, answer.codes]).toEqual([200, { plexConnection: null }, [code]]);
    const [error] = answer.errors ?? [];
    expect(error?.message).toMatch(told);
    expect(error?.extensions.requestId).toBe(answer.headers.get("x-request-id"));
    expectNoLeak(answer, authentik.url);
    expect(authentik.requests).toHaveLength(requests);
    const problem = expect.objectContaining({ detail: expect.stringMatching(detail) });
    expect(gateway.records[0]?.problems).toEqual([problem]);

    authentik.answer(null);
    await expectUsable(gateway);
  });

  test("sends ten interim answers, and later the real one with the text of another, is answered by that one", async () => {
    const interim = ["100 Continue", "102 Processing", "103 Early Hints", "100 Continue", "103 Early Hints"];
    const first = interim.map((status) => `HTTP/1.1 ${status}\r\nVia: proxy\r\n\r\n`).join("");
    const body = JSON.stringify(connectionBody(5, { identifier: "HTTP/1.1 100 " }));
    const [before = "", after] = `${body.length.toString(16)}\r\n${body}`.split(/(?=HTTP)/);
    const { authentik, gateway } = await gatewayForTest({ gateway: { operationTimeoutMs: 5_000 } });
    authentik.answer(async (_request, { socket }) => {
      const head = HEAD.replace("Content-Length: 99", "Transfer-Encoding: chunked");
      for (const piece of [first.repeat(2), head + before, `${after}\r\n0\r\n\r\n`]) {
        socket?.write(piece);
        await sleep(20);
      }
    });
    expect((await gateway.post(QUERY)).codes).toEqual([]);
    expect(authentik.requests).toHaveLength(1);
  });

  test("answers Latin-1 is not believed, and no letter of it replaced", async () => {
    const body = Buffer.from(JSON.stringify(connectionBody(5, { identifier: "h\u00e9l\u00e8ne" })), "latin1");
    const { authentik, gateway } = await gatewayForTest();
    authentik.answer((_request, response) => text(200, body, JSON_TYPE)(response));
    expect((await gateway.post(QUERY)).codes).toEqual(["UPSTREAM_INVALID_RESPONSE"]);
  });
});

describe("TLS fails closed", () => {
  const [key, cert] = ["key", "cert"].map((part) =>
    readFileSync(new URL(`../fixtures/tls/other-host.${part}.pem`, import.meta.url), "utf8"),
  ) as [string, string]; // of two
  const isTls = { tls: { key, cert } };
  test.each([
    ["a certificate that nobody trusts", "https:", isTls, {}, /not trusted/],
    ["a trusted certificate for another name", "https:", isTls, { caPem: cert }, /another host name/],
    ["plain HTTP where TLS is expected", "https:", {}, {}, /: the port speaks no TLS: try http:/],
    ["TLS where plain HTTP is expected", "http:", isTls, {}, /try https:/],
  ])("%s", async (_name, protocol, fake, trust, detail) => {
    // Node's own switch for all of a process.
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    const authentik = await startFakeAuthentik(fake);
    const authentikUrl = Object.assign(new URL(authentik.url), { protocol });
    const gateway = await startGateway({ authentikUrl, authentik: trust });
    onTestFinished(async () => {
      await gateway.close();
      await authentik.close();
    });
    const answer = await gateway.post(QUERY);
    expect(answer.codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expect(answer.errors?.[0]?.message).toMatch(/operator/);
    expect(gateway.records[0]?.problems[0]?.["detail"]).toMatch(detail);
    expect(authentik.requests).toEqual([]);
    expectNoLeak(answer, authentikUrl);
  });
});

test("an outage is not made worse: few requests once the breaker is open, which ends by itself", async () => {
  const { authentik, gateway } = await gatewayForTest();
  authentik.answer((_request, response) => page(503, "Service Unavailable")(response));
  for (let round = 0; round < 7; round++) {
    const asked = Array.from({ length: 30 }, (_, caller) =>
      gateway.post(QUERY, { authorization: `Bearer t${caller}` }),
    );
    for (const { codes } of await Promise.all(asked)) expect(codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
  }
  // Of 210 calls.
  expect(authentik.requests.length).toBeLessThan(100);
  authentik.answer(null);
  await expect.poll(async () => (await gateway.post(QUERY)).codes, patience).toEqual([]);
});
