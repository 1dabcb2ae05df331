import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { answering, FAULTS, startFaultServer, WRONG_SHAPES } from "../support/fault-server.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { startGateway, type TestGateway, type TestGatewayOptions } from "../support/gateway.ts";
import { ask, type GraphQLReply } from "../support/ask.ts";

const DEADLINE_MS = 1_000;
/** For the machine, not for the gateway: tests share two cores. */
const NOISE_MS = 750;
const QUERY = "{plexConnection(id:5){pk user}}";

interface Expected {
  code: string;
  /** Requests that are sent in all. */
  requests: number;
  seconds?: number;
  /** What the caller reads. */
  message?: RegExp;
  /** What the operator reads in the log. */
  detail?: RegExp;
}

/** No waiting helps: the operator must act. */
const SPEAKS_TLS: Expected = {
  code: "UPSTREAM_UNAVAILABLE",
  requests: 1,
  message: /where none can answer\. Tell the gateway's operator/,
  detail: /the port speaks TLS: try https:\/\/$/,
};

/** What the client gets for each fault. */
const EXPECTED: Record<keyof typeof FAULTS, Expected> = {
  "closes before an answer": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "resets before an answer": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "resets in the middle of the body": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "ends in the middle of the body": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "ends a body without length too early": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends text that is no JSON": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends bytes that are no UTF-8": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends a page with status 200": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends no content": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends nothing at all": { code: "UPSTREAM_TIMEOUT", requests: 1 },
  "sends the head one byte at a time": { code: "UPSTREAM_TIMEOUT", requests: 1 },
  "sends the body one byte at a time": { code: "UPSTREAM_TIMEOUT", requests: 1 },
  "answers 500 with a page": { code: "UPSTREAM_ERROR", requests: 1 },
  "loses its worker while it answers": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "fails in its application, in as many bytes": { code: "UPSTREAM_ERROR", requests: 1 },
  "sends eleven interim answers 100 that nobody asked for": {
    code: "UPSTREAM_UNAVAILABLE",
    requests: 2,
    detail: /^UND_ERR_SOCKET: an interim answer 100/,
  },
  "switches protocols unasked": {
    code: "UPSTREAM_UNAVAILABLE",
    requests: 2,
    detail: /^UND_ERR_SOCKET: an interim answer 101/,
  },
  "switches protocols unasked, to none": {
    code: "UPSTREAM_INVALID_RESPONSE",
    requests: 1,
    detail: /the answer is not HTTP/,
  },
  "sends interim answers without end": {
    code: "UPSTREAM_INVALID_RESPONSE",
    requests: 1,
    detail: /interim answers \(1xx\)/,
  },
  "takes plain HTTP for a mistake": SPEAKS_TLS,
  "takes plain HTTP for a mistake, as nginx does": SPEAKS_TLS,
  "takes plain HTTP for a mistake, as Apache does": SPEAKS_TLS,
  "takes plain HTTP for a mistake, as Tomcat does": SPEAKS_TLS,
  "takes plain HTTP for TLS, and says so in TLS": SPEAKS_TLS,
  "is hidden by a proxy that answers 403 with a page": {
    code: "UPSTREAM_INVALID_RESPONSE",
    requests: 1,
    detail: /^text\/html, \d+ bytes; the answer is not from authentik's API: .*what stands in front of it/,
  },
  "is hidden by a proxy that asks for a password": {
    code: "UPSTREAM_INVALID_RESPONSE",
    requests: 1,
    detail: /the answer is not from authentik's API/,
  },
  "answers 502": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "answers 503 with Retry-After": { code: "UPSTREAM_UNAVAILABLE", requests: 2, seconds: 5 },
  "answers 504": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "answers 522, as Cloudflare does for a host that does not": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "answers 408, as a proxy does whose client was idle": { code: "UPSTREAM_UNAVAILABLE", requests: 2 },
  "answers 200 while starting": { code: "UPSTREAM_UNAVAILABLE", requests: 2, seconds: 5 },
  "answers 429 with Retry-After": { code: "RATE_LIMITED", requests: 1, seconds: 2 },
  "redirects to a login page": { code: "UPSTREAM_REDIRECTED", requests: 1 },
  "redirects to another host": { code: "UPSTREAM_REDIRECTED", requests: 1 },
  "declares a body of 200 MB": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends 200 MB without saying so": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends 200 MB of interim responses": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "compresses 20 MB into 20 KB unasked": {
    code: "UPSTREAM_INVALID_RESPONSE",
    requests: 1,
    detail: /Content-Encoding gzip/,
  },
  "sends 40 KB of headers": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends what is no HTTP": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
  "sends two lengths": { code: "UPSTREAM_INVALID_RESPONSE", requests: 1 },
};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function start(authentikUrl: URL, options: Omit<TestGatewayOptions, "authentikUrl"> = {}) {
  const gateway = await startGateway({
    authentikUrl,
    ...options,
    gateway: { operationTimeoutMs: DEADLINE_MS, ...options.gateway },
  });
  closing.push(() => gateway.close());
  return gateway;
}

async function faulty() {
  const server = await startFaultServer();
  closing.push(() => server.close());
  return server;
}

/** Nothing of authentik, of where it is or of how we are built reaches a client. */
function expectNoLeak({ text, headers }: GraphQLReply, url: URL): void {
  const all = text + JSON.stringify([...headers]);
  expect(all).not.toMatch(
    /10\.1\.2\.3|Traceback|<html|node_modules|\.[jt]s:\d|undici|UND_ERR|ECONN|HPE_|if\/flow/,
  );
  expect(all).not.toContain(url.host);
  expect(all).not.toContain("token-of-a-test");
}

async function expectUsable(gateway: TestGateway): Promise<void> {
  const { result } = await ask(gateway.url, QUERY);
  expect(result).toEqual({ data: { plexConnection: { pk: 5, user: expect.any(Number) } } });
}

describe("an authentik that", () => {
  const rows = Object.entries(EXPECTED) as [keyof typeof FAULTS, Expected][];

  test.each(rows)("%s", async (name, { code, requests, seconds, message = /./, detail = /./ }) => {
    const server = await faulty();
    const gateway = await start(server.url);
    await expectUsable(gateway);
    server.requests.length = 0;
    server.set(FAULTS[name]);

    const started = performance.now();
    const answer = await ask(gateway.url, QUERY);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS + NOISE_MS);
    expect(answer.status).toBe(200);
    expect(answer.result.data).toEqual({ plexConnection: null });
    expect(answer.codes).toEqual([code]);
    const [error] = answer.result.errors ?? [];
    expect(error?.message).toMatch(message);
    expect(error?.extensions?.["retryAfterSeconds"]).toBe(seconds);
    expect(error?.extensions?.requestId).toBe(answer.headers.get("x-request-id"));
    expectNoLeak(answer, server.url);
    expect(server.requests).toHaveLength(requests);
    const problems = gateway.records.at(-1)?.problems ?? [];
    expect(problems).toHaveLength(1);
    expect(String(problems[0]?.["detail"])).toMatch(detail);

    server.set(null);
    await expectUsable(gateway);
  });

  const once: (keyof typeof FAULTS)[] = [
    "loses its worker while it answers",
    "sends eleven interim answers 100 that nobody asked for",
    "resets before an answer",
  ];
  test.each(once)("%s once is asked once more, and nobody notices", async (name) => {
    const server = await faulty();
    const gateway = await start(server.url);
    server.set((socket) => {
      server.set(null);
      FAULTS[name](socket);
    });
    await expectUsable(gateway);
    expect(server.requests).toHaveLength(2);
    expect(gateway.records[0]).toMatchObject({ codes: [], usage: { restCalls: 2, retries: 1 } });
  });

  test.each([
    ["102 and 103", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"],
    ["100", "HTTP/1.1 100 Continue\r\nVia: proxy\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"],
  ])(
    "sends ten interim answers %s before the real one is answered by that one",
    async (_statuses, interim) => {
      const server = await faulty();
      const gateway = await start(server.url);
      server.set((socket) => {
        socket.write(interim.repeat(5));
        answering(JSON.stringify(connectionBody(5)))(socket);
      });
      await expectUsable(gateway);
      expect(server.requests).toHaveLength(1);
    },
  );

  test.each(WRONG_SHAPES)("answers %.40s instead of a connection", async (body) => {
    const server = await faulty();
    server.set(answering(body));
    const gateway = await start(server.url);
    const answer = await ask(gateway.url, QUERY);
    expect(answer.codes).toEqual(["UPSTREAM_INVALID_RESPONSE"]);
    expectNoLeak(answer, server.url);
  });

  test("refuses connections", async () => {
    const server = await faulty();
    const { url } = server;
    await server.close();
    const gateway = await start(url);
    const started = performance.now();
    const answer = await ask(gateway.url, QUERY);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS);
    expect(answer.codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expectNoLeak(answer, url);
  });

  test("has a name that DNS does not know", async () => {
    const url = new URL("http://authentik.invalid/");
    const gateway = await start(url);
    const answer = await ask(gateway.url, QUERY);
    expect(["UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT"]).toContain(answer.codes[0]);
    expectNoLeak(answer, url);
  });

  test("does not answer to connection attempts", async () => {
    // A listener that accepts and then neither reads nor writes: what a full backlog or a dead host look like.
    const sockets: Socket[] = [];
    const server = createServer({ pauseOnConnect: true }, (socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const gateway = await start(new URL(`https://127.0.0.1:${port}`), {
      authentik: { connectTimeoutMs: 300 },
    });
    const started = performance.now();
    const answer = await ask(gateway.url, QUERY);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS + NOISE_MS);
    expect(["UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT"]).toContain(answer.codes[0]);
  });
});

describe("TLS fails closed", () => {
  test.each([
    ["a certificate that nobody trusts", /not trusted/, /operator/],
    ["plain HTTP where TLS is expected", /: the port speaks no TLS: try http:\/\//, /operator/],
    ["TLS where plain HTTP is expected", /try https:\/\//, /if it stays so, tell .* operator/],
  ])("%s", async (name, detail, sentence) => {
    const server = await startFaultServer({ tls: !name.startsWith("plain HTTP") });
    closing.push(() => server.close());
    const url = new URL(server.url);
    if (name.startsWith("plain HTTP")) url.protocol = "https:";
    if (name.startsWith("TLS where")) url.protocol = "http:";
    const gateway = await start(url);
    const answer = await ask(gateway.url, QUERY);
    expect(answer.codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expect(answer.result.errors?.[0]?.message).toMatch(sentence);
    expect(gateway.records[0]?.problems[0]?.["detail"]).toMatch(detail);
    expect(server.requests).toEqual([]);
    expectNoLeak(answer, url);
  });

  test("a trusted certificate for another name", async () => {
    const server = await startFaultServer({ tls: true });
    closing.push(() => server.close());
    const gateway = await start(server.url, { authentik: { caPem: server.certificate } });
    const answer = await ask(gateway.url, QUERY);
    expect(answer.codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expect(server.requests).toEqual([]);
    const problems = JSON.stringify(gateway.records.map(({ problems }) => problems));
    expect(problems).toContain("another host name");
  });
});

test("large answers cost no more memory than the limit", async () => {
  const server = await faulty();
  const gateway = await start(server.url);
  const before = process.memoryUsage().rss;
  for (const name of ["declares a body of 200 MB", "sends 200 MB without saying so"] as const) {
    server.set(FAULTS[name]);
    expect((await ask(gateway.url, QUERY)).codes).toEqual(["UPSTREAM_INVALID_RESPONSE"]);
  }
  // The server of this test lives in the same process: its own 1 MiB chunks and their buffers count too.
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test("sockets that authentik closes while idle cost no answer", async () => {
  const server = await faulty();
  const gateway = await start(server.url);
  // Each answer is followed by a close that no header announced, at about the time of the next request.
  let failed = 0;
  for (let count = 0; count < 200; count++) {
    server.closeIdleAfterMs(count % 4);
    const { codes } = await ask(gateway.url, `{plexConnection(id:5){user}}`);
    if (codes.length > 0) failed++;
    await new Promise((resolve) => setTimeout(resolve, count % 5));
  }
  expect(failed).toBe(0);
});

describe("an outage", () => {
  test("is not made worse: at most 1.2 requests for each call, and few once the breaker is open", async () => {
    const server = await faulty();
    server.set(FAULTS["answers 503 with Retry-After"]);
    const gateway = await start(server.url, { gateway: { coalesce: false }, authentik: { coalesce: false } });
    let calls = 0;
    const codes = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => ask(gateway.url, QUERY, { authorization: `Bearer t${calls++}` })),
      );
      for (const answer of answers) codes.add(answer.codes.join());
    }
    expect([...codes]).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expect(server.requests.length).toBeLessThanOrEqual(calls * 1.2);
    expect(server.requests.length).toBeLessThan(calls / 2);
  });

  test("of one caller's making does not exist: 4xx never open the breaker for others", async () => {
    const server = await faulty();
    const gateway = await start(server.url);
    server.set(answering('{"detail":"no"}', 403));
    for (let count = 0; count < 60; count++)
      await ask(gateway.url, QUERY, { authorization: "Bearer hostile" });
    expect(server.requests).toHaveLength(60);
    server.set(null);
    await expectUsable(gateway);
  });

  test("ends by itself: the breaker lets calls through again", async () => {
    const server = await faulty();
    server.set(FAULTS["answers 503 with Retry-After"]);
    const gateway = await start(server.url);
    for (let count = 0; count < 30; count++) await ask(gateway.url, QUERY);
    server.set(null);
    let usable = false;
    for (let attempt = 0; attempt < 40 && !usable; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      usable = (await ask(gateway.url, QUERY)).codes.length === 0;
    }
    expect(usable).toBe(true);
  });
});
