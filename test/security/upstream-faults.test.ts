import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { GraphQLReply } from "../support/ask.ts";
import { answering, type Fault, FAULTS, GOOD, startFaultServer } from "../support/fault-server.ts";
import { startGateway, type TestGateway, type TestGatewayOptions, TOKEN } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { connectionBody } from "../support/wire-bodies.ts";

const QUERY = "{plexConnection(id:5){pk user}}";

/** The code, how many requests are sent in all, and what operator and caller read. */
type Expected = readonly [code: string, requests: number, detail?: RegExp, message?: RegExp];

const LOST = ["UPSTREAM_UNAVAILABLE", 2] as const;
const INVALID = ["UPSTREAM_INVALID_RESPONSE", 1] as const;
const LATE = ["UPSTREAM_TIMEOUT", 1] as const;
/** No waiting helps: the operator must act. */
const SPEAKS_TLS: Expected = [
  "UPSTREAM_UNAVAILABLE",
  1,
  /the port speaks TLS: try https:\/\/$/,
  /where none can answer\. Tell the gateway's operator/,
];

/** What the client gets for each fault. */
const EXPECTED: Record<keyof typeof FAULTS, Expected> = {
  "closes before an answer": LOST,
  "resets before an answer": LOST,
  "resets in the middle of the body": LOST,
  "ends in the middle of the body": LOST,
  "ends a body without length too early": INVALID,
  "sends bytes that are no UTF-8": INVALID,
  "sends nothing at all": LATE,
  "sends the head one byte at a time": LATE,
  "sends the body one byte at a time": LATE,
  "loses its worker while it answers": LOST,
  "fails in its application, in as many bytes": ["UPSTREAM_ERROR", 1],
  "sends eleven interim answers 100 that nobody asked for": [
    ...LOST,
    /^UND_ERR_SOCKET: an interim answer 100/,
  ],
  "switches protocols unasked": [...LOST, /^UND_ERR_SOCKET: an interim answer 101/],
  "switches protocols unasked, to none": [...INVALID, /the answer is not HTTP/],
  "sends interim answers without end": [...INVALID, /interim answers \(1xx\)/],
  "takes plain HTTP for a mistake": SPEAKS_TLS,
  "takes plain HTTP for a mistake, as nginx does": SPEAKS_TLS,
  "takes plain HTTP for a mistake, as Apache does": SPEAKS_TLS,
  "takes plain HTTP for a mistake, as Tomcat does": SPEAKS_TLS,
  "takes plain HTTP for TLS, and says so in TLS": SPEAKS_TLS,
  "is hidden by a proxy that answers 403 with a page": [
    ...INVALID,
    /^text\/html, \d+ bytes; the answer is not from authentik's API: .*what stands in front of it/,
  ],
  "is hidden by a proxy that asks for a password": [...INVALID, /the answer is not from authentik's API/],
  "declares a body of 200 MB": INVALID,
  "sends 200 MB without saying so": INVALID,
  "sends 200 MB of interim responses": INVALID,
  "compresses 20 MB into 20 KB unasked": [...INVALID, /Content-Encoding gzip/],
  "sends 40 KB of headers": INVALID,
  "sends what is no HTTP": INVALID,
  "sends two lengths": INVALID,
};

async function start(authentikUrl: URL, options: Omit<TestGatewayOptions, "authentikUrl"> = {}) {
  const gateway = await startGateway({ authentikUrl, ...options });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** A server that is faulty in this way, and a gateway before it. */
async function before(fault: Fault | null, options?: Omit<TestGatewayOptions, "authentikUrl">) {
  const server = await startFaultServer();
  onTestFinished(() => server.close());
  server.set(fault);
  return { server, gateway: await start(server.url, options) };
}

/** Nothing of authentik, of where it is or of how we are built reaches a client. */
function expectNoLeak({ text, headers }: GraphQLReply, url: URL): void {
  const all = text + JSON.stringify([...headers]);
  expect(all).not.toMatch(
    /10\.1\.2\.3|Traceback|<html|node_modules|\.[jt]s:\d|undici|UND_ERR|ECONN|HPE_|if\/flow/,
  );
  expect(all).not.toContain(url.host);
  expect(all).not.toContain(TOKEN);
}

async function expectUsable(gateway: TestGateway): Promise<void> {
  const { result } = await gateway.post(QUERY);
  expect(result).toEqual({ data: { plexConnection: { pk: 5, user: expect.any(Number) } } });
}

describe("an authentik that", () => {
  const rows = Object.entries(EXPECTED) as [keyof typeof FAULTS, Expected][];

  test.each(rows)("%s", async (name, [code, requests, detail = /./, message = /./]) => {
    // Any other code was there in time.
    const operationTimeoutMs = code === "UPSTREAM_TIMEOUT" ? 500 : 5_000;
    // One place, which each call must give back.
    const authentik = { concurrency: 1 };
    const { server, gateway } = await before(null, { gateway: { operationTimeoutMs }, authentik });
    await expectUsable(gateway);
    server.requests.length = 0;
    server.set(FAULTS[name]);

    const answer = await gateway.post(QUERY);
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual({ plexConnection: null });
    expect(answer.codes).toEqual([code]);
    const [error] = answer.errors ?? [];
    expect(error?.message).toMatch(message);
    expect(error?.extensions.requestId).toBe(answer.headers.get("x-request-id"));
    expectNoLeak(answer, server.url);
    expect(server.requests).toHaveLength(requests);
    const problems = gateway.records.at(-1)?.problems ?? [];
    expect(problems).toHaveLength(1);
    expect(String(problems[0]?.["detail"])).toMatch(detail);

    server.set(null);
    await expectUsable(gateway);
  });

  test.each([
    ...rows
      .filter(([, [, requests]]) => requests === 2)
      .map(([name]): [string, Fault] => [name, FAULTS[name]]),
    ["answers 502", answering("{}", 502)],
    ["is starting", answering('{"error":"authentik starting"}')],
  ])("%s once is asked once more, and nobody notices", async (_name, fault) => {
    const { server, gateway } = await before((socket) => {
      server.set(null);
      fault(socket);
    });
    await expectUsable(gateway);
    expect(server.requests).toHaveLength(2);
    expect(gateway.records[0]).toMatchObject({ codes: [], usage: { restCalls: 2, retries: 1 } });
  });

  test.each([
    ["102 and 103", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"],
    ["100", "HTTP/1.1 100 Continue\r\nVia: proxy\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"],
    ["103 and 100", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"],
  ])(
    "sends ten interim answers %s before the real one is answered by that one",
    async (_statuses, interim) => {
      const { server, gateway } = await before((socket) => {
        socket.write(interim.repeat(5));
        GOOD(socket);
      });
      await expectUsable(gateway);
      expect(server.requests).toHaveLength(1);
    },
  );

  test.each([
    ["a connection without its source", { source: null }],
    ["a user that is no whole number", { user: 1.5 }],
    ["a day that there is not", { created: "2024-99-12T08:31:22Z" }],
    ["Latin-1, of which no letter is replaced", { identifier: "h\u00e9l\u00e8ne" }],
  ])("answers %s", async (_name, wrong) => {
    const body = Buffer.from(JSON.stringify(connectionBody(5, wrong)), "latin1");
    const { server, gateway } = await before((socket) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(head), body]));
    });
    const answer = await gateway.post(QUERY);
    expect(answer.codes).toEqual(["UPSTREAM_INVALID_RESPONSE"]);
    expectNoLeak(answer, server.url);
  });

  test("has a name that DNS does not know, or does not answer to connection attempts", async () => {
    // A listener that accepts and then neither reads nor writes: what a full backlog or a dead host look like.
    const silent = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo; // a TCP server's address is never a string
    for (const url of [new URL("http://authentik.invalid/"), new URL(`https://127.0.0.1:${port}`)]) {
      const options = { authentik: { connectTimeoutMs: 300 }, gateway: { operationTimeoutMs: 1_000 } };
      const answer = await (await start(url, options)).post(QUERY);
      expect(["UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT"]).toContain(answer.codes[0]);
      expectNoLeak(answer, url);
    }
  });
});

describe("TLS fails closed", () => {
  const told = /operator/;
  test.each([
    ["a certificate that nobody trusts", "https:", true, false, /not trusted/, told],
    ["a trusted certificate for another name", "https:", true, true, /another host name/, told],
    ["plain HTTP where TLS is expected", "https:", false, false, /: the port speaks no TLS: try http:/, told],
    [
      "TLS where plain HTTP is expected",
      "http:",
      true,
      false,
      /try https:/,
      /if it stays so, tell .* operator/,
    ],
  ])("%s", async (_name, protocol, tls, isTrusted, detail, sentence) => {
    // Node's own switch for all of a process.
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    const server = await startFaultServer({ tls });
    onTestFinished(() => server.close());
    const url = Object.assign(new URL(server.url), { protocol });
    const gateway = await start(url, isTrusted ? { authentik: { caPem: server.certificate } } : {});
    const answer = await gateway.post(QUERY);
    expect(answer.codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expect(answer.errors?.[0]?.message).toMatch(sentence);
    expect(gateway.records[0]?.problems[0]?.["detail"]).toMatch(detail);
    expect(server.requests).toEqual([]);
    expectNoLeak(answer, url);
  });
});

test("large answers cost no more memory than the limit", async () => {
  const { server, gateway } = await before(null);
  const beforeBytes = process.memoryUsage().rss;
  for (const name of ["declares a body of 200 MB", "sends 200 MB without saying so"] as const) {
    server.set(FAULTS[name]);
    expect((await gateway.post(QUERY)).codes).toEqual(["UPSTREAM_INVALID_RESPONSE"]);
  }
  // The server of this test lives in the same process: its own 1 MiB chunks and their buffers count too.
  expect(process.memoryUsage().rss - beforeBytes).toBeLessThan(64 * 1024 * 1024);
});

/** Each answer is followed by a close that no header announced, at about the time of the next request. */
async function askOften(): Promise<string[]> {
  const { server, gateway } = await before(null);
  const codes: string[] = [];
  for (let count = 0; count < 50; count++) {
    server.set((socket) => {
      GOOD(socket);
      setTimeout(() => socket.end(), count % 4);
    });
    codes.push(...(await gateway.post(QUERY)).codes);
    await sleep(count % 5);
  }
  return codes;
}

test("sockets that authentik closes while idle cost no answer", async () => {
  expect(await Promise.all([1, 2, 3, 4].map(askOften))).toEqual([[], [], [], []]);
});

describe("an outage", () => {
  const down = answering("{}", 503);
  const unshared = { gateway: { coalesce: false }, authentik: { coalesce: false } };
  test("is not made worse: few requests once the breaker is open, which ends by itself", async () => {
    const { server, gateway } = await before(down, unshared);
    const callers = Array.from({ length: 30 }, (_, index) => `Bearer t${index}`);
    const askAll = async () => {
      const answers = callers.map((authorization) => gateway.post(QUERY, { authorization }));
      for (const { codes } of await Promise.all(answers)) expect(codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    };
    await askAll();
    const sent = server.requests.length;
    expect((await gateway.post(QUERY)).codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expect(server.requests).toHaveLength(sent);
    for (let round = 0; round < 6; round++) await askAll();
    // Of 211 calls.
    expect(server.requests.length).toBeLessThan(100);
    server.set(null);
    await expect.poll(async () => (await gateway.post(QUERY)).codes, patience).toEqual([]);
  });

  test("of one caller's making does not exist: 4xx never open the breaker for others", async () => {
    const { server, gateway } = await before(answering('{"detail":"no"}', 403), unshared);
    await Promise.all(Array.from({ length: 60 }, () => gateway.post(QUERY)));
    expect(server.requests).toHaveLength(60);
    server.set(null);
    await expectUsable(gateway);
  });
});
