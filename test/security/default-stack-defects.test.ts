import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, interceptors, request } from "undici";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGate, sendJson, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway, type TestGatewayOptions } from "../support/gateway.ts";
import { times } from "./adversarial-documents.ts";
import { ask, askBody } from "../support/ask.ts";
import { startPlainYoga, type ServerProcess } from "./support/child.ts";
import { postText, raw } from "../support/raw-client.ts";

/*
 * What graphql-yoga, @apollo/subgraph and undici do when nothing is configured, one defect after the other: shown to
 * work against the plain set-up where that is cheap, and shown not to work here.
 */

let authentik: FakeAuthentik;
let plain: ServerProcess;
let gateway: TestGateway;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  authentik = await startFakeAuthentik();
  closing = [() => authentik.close()];
});
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
});

async function startPlain(nodeFlags: readonly string[] = []): Promise<void> {
  plain = await startPlainYoga(authentik.url, { nodeFlags });
  closing.push(() => plain.stop());
}

async function startOurs(options: Omit<TestGatewayOptions, "authentikUrl"> = {}): Promise<void> {
  gateway = await startGateway({ authentikUrl: authentik.url, ...options });
  closing.push(() => gateway.close());
}

describe("D1: one bad representation beside a failing one", () => {
  const query = `{_entities(representations:[{__typename:"PlexSourceConnection",pk:7},{__typename:"Nope"}]){__typename ...on PlexSourceConnection{user}}}`;

  test("ends the plain process", async () => {
    authentik.answer((_request, response) => sendJson(response, 403, { detail: "no" }));
    await startPlain();
    await ask(plain.url, query).catch(() => {});
    expect(await plain.ended).toBe(1);
  });

  test("costs only itself here", async () => {
    authentik.answer((_request, response) => sendJson(response, 403, { detail: "no" }));
    await startOurs();
    const { status, result, codes } = await ask(gateway.url, query);
    expect(status).toBe(200);
    expect(result.data).toEqual({ _entities: [null, null] });
    expect(codes.sort()).toEqual(["BAD_USER_INPUT", "FORBIDDEN"]);
  });
});

describe("D2: distinct large documents", () => {
  test("end the plain process by what its caches keep", async () => {
    await startPlain(["--max-old-space-size=64"]);
    let alive = true;
    for (let index = 0; index < 100 && alive; index++)
      alive = await ask(plain.url, document(index)).then(
        () => true,
        () => false,
      );
    expect(await plain.ended).toMatch(/SIGABRT|134/);
  });

  test("are refused here without being kept", async () => {
    await startOurs();
    for (let index = 0; index < 20; index++)
      expect((await ask(gateway.url, document(index))).codes).toEqual(["LIMIT_EXCEEDED"]);
    expect(authentik.requests).toHaveLength(0);
  });
});

describe("D3: aliases and representations multiply REST calls", () => {
  const entities = `query($r:[_Any!]!){_entities(representations:$r){...on PlexSourceConnection{user}}}`;

  test("the plain set-up sends one for each", async () => {
    await startPlain();
    await ask(plain.url, aliases(2_000));
    expect(authentik.requests).toHaveLength(2_000);
    await ask(plain.url, entities, { variables: { r: representations(2_000) } });
    expect(authentik.requests).toHaveLength(4_000);
  });

  test("here neither gets beyond the limits", async () => {
    await startOurs();
    expect((await ask(gateway.url, aliases(1_001))).codes).toEqual(["LIMIT_EXCEEDED"]);
    const { codes } = await ask(gateway.url, entities, { variables: { r: representations(1_001) } });
    expect(codes).toEqual(["LIMIT_EXCEEDED"]);
    expect(authentik.requests).toHaveLength(0);
  });

  test("here aliases of _entities share one limit", async () => {
    await startOurs();
    const query = `query($r:[_Any!]!){${times(11, (i) => `e${i}:_entities(representations:$r){...on PlexSourceConnection{pk}}`)}}`;
    const { result, codes } = await ask(gateway.url, query, { variables: { r: representations(100) } });
    expect(codes).toEqual(["LIMIT_EXCEEDED"]);
    expect(result.errors?.[0]?.extensions).toMatchObject({
      limit: "representations",
      max: 1_000,
      actual: 1_100,
    });
  });

  test("here an operation has an allowance of REST calls", async () => {
    await startOurs({ gateway: { maxRestCalls: 10 }, authentik: { list: false } });
    const { result, codes } = await ask(gateway.url, aliases(12));
    expect(codes).toEqual(["LIMIT_EXCEEDED", "LIMIT_EXCEEDED"]);
    expect(Object.values(result.data ?? {}).filter((value) => value !== null)).toHaveLength(10);
    expect(authentik.requests).toHaveLength(10);
  });
});

describe("D4: an authentik that never answers", () => {
  const query = "{plexConnection(id:5){user}}";

  test("keeps the plain set-up waiting", async () => {
    authentik.answer(() => {});
    await startPlain();
    const answer = await ask(plain.url, query, { signal: AbortSignal.timeout(2_000) }).catch(
      (error: unknown) => error,
    );
    expect(answer).toMatchObject({ name: "TimeoutError" });
  });

  test("here the operation's budget ends it", async () => {
    authentik.answer(() => {});
    await startOurs({ gateway: { operationTimeoutMs: 300 } });
    const started = performance.now();
    expect((await ask(gateway.url, query)).codes).toEqual(["UPSTREAM_TIMEOUT"]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(295);
    expect(performance.now() - started).toBeLessThan(300 + 1_000);
  });
});

describe("D5: SIGTERM", () => {
  test("loses what the plain process has in flight", async () => {
    const gate = createGate();
    authentik.answer(async (_request, _response, fallback) => {
      await gate.opened;
      fallback();
    });
    await startPlain();
    const asked = Promise.allSettled([1, 2, 3].map((id) => ask(plain.url, `{plexConnection(id:${id}){pk}}`)));
    await authentik.arrived(3);
    plain.child.kill("SIGTERM");
    await plain.ended;
    gate.open();
    expect((await asked).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });
  // Here: test/process/shutdown.test.ts and test/long/rolling-restart.test.ts, which drive the built process.
});

describe("D6: any web page may read answers", () => {
  const origin = { origin: "https://evil.example" };

  test("of the plain set-up, with credentials", async () => {
    await startPlain();
    const { headers } = await ask(plain.url, "{__typename}", { headers: origin });
    expect(headers.get("access-control-allow-origin")).toBe("https://evil.example");
    expect(headers.get("access-control-allow-credentials")).toBe("true");
  });

  test("but not here", async () => {
    await startOurs();
    const { headers } = await ask(gateway.url, "{__typename}", { headers: origin });
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    const preflight = await fetch(new URL("/graphql", gateway.url), { method: "OPTIONS", headers: origin });
    expect([...preflight.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("D7: a malformed Host header", () => {
  const hosts = ["a b", "[", "%", "x:99999"];

  test("makes the plain set-up show its stack and paths", async () => {
    await startPlain();
    const { status, text } = await raw(plain.url, postText('{"query":"{__typename}"}', ["Host: a b"]));
    expect(status).toBe(500);
    expect(text).toContain("node_modules");
  });

  test.each(hosts)("%j is refused here, in GraphQL's form", async (host) => {
    await startOurs();
    for (const request of [
      postText('{"query":"{__typename}"}', [`Host: ${host}`]),
      `GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    ]) {
      const { status, text } = await raw(gateway.url, request);
      expect(status).toBe(400);
      expect(text).not.toMatch(/node_modules|\.js:|\.ts:/);
    }
  });
});

describe("D8: a body that is no JSON", () => {
  const body = `{"query": "{__typename}", "secret": "${"s3cret".repeat(1_000)}`;

  test("comes back from the plain set-up", async () => {
    await startPlain();
    expect((await askBody(plain.url, body)).text).toContain("s3crets3cret");
  });

  test("does not come back from here, and the status says whose fault it is", async () => {
    await startOurs();
    const { status, text, codes } = await askBody(gateway.url, body);
    expect(status).toBe(400);
    expect(codes).toEqual(["BAD_REQUEST"]);
    expect(text).not.toContain("s3cret");
  });
});

describe("D9: JSON that is no connection", () => {
  const query = "{plexConnection(id:5){pk user}}";

  test("is a silent null for the plain set-up", async () => {
    authentik.answer((_request, response) => sendJson(response, 200, { hello: 1 }));
    await startPlain();
    const { result } = await ask(plain.url, query);
    expect(result).toEqual({ data: { plexConnection: { pk: null, user: null } } });
  });

  test("is an error here", async () => {
    authentik.answer((_request, response) => sendJson(response, 200, { hello: 1 }));
    await startOurs();
    expect((await ask(gateway.url, query)).codes).toEqual(["UPSTREAM_INVALID_RESPONSE"]);
  });
});

describe("D10: the deadline of a call that waits for a connection", () => {
  test("is ignored by undici's request", async () => {
    authentik.answer(async (_request, _response, fallback) => {
      await sleep(1_500);
      fallback();
    });
    const dispatcher = new Agent({ connections: 1 });
    const url = new URL("/api/v3/sources/user_connections/plex/5/", authentik.url);
    const first = request(url, { dispatcher });
    const started = performance.now();
    await request(url, { dispatcher, signal: AbortSignal.timeout(200) }).catch(() => {});
    expect(performance.now() - started).toBeGreaterThan(1_000);
    await (await first).body.dump();
    await dispatcher.close();
  });

  test("holds here", async () => {
    authentik.answer(() => {});
    await startOurs({ gateway: { operationTimeoutMs: 400 }, authentik: { concurrency: 1 } });
    const started = performance.now();
    const answers = await Promise.all(
      [1, 2, 3].map((id) => ask(gateway.url, `{plexConnection(id:${id}){user}}`)),
    );
    expect(answers.map(({ codes }) => codes)).toEqual([
      ["UPSTREAM_TIMEOUT"],
      ["UPSTREAM_TIMEOUT"],
      ["UPSTREAM_TIMEOUT"],
    ]);
    expect(performance.now() - started).toBeLessThan(400 + 1_000);
  });
});

describe("D11: the deadline during the back-off of a retry", () => {
  test("is ignored by undici's retry interceptor", async () => {
    authentik.answer((_request, response) => sendJson(response, 503, {}, { "Retry-After": "1" }));
    const agent = new Agent();
    const started = performance.now();
    await request(new URL("/x", authentik.url), {
      dispatcher: agent.compose(interceptors.retry({ maxRetries: 1 })),
      signal: AbortSignal.timeout(100),
    }).catch(() => {});
    expect(performance.now() - started).toBeGreaterThan(600);
    await agent.close();
  });

  test("holds here, and nobody sleeps for as long as authentik likes", async () => {
    authentik.answer((_request, response) => sendJson(response, 503, {}, { "Retry-After": "30" }));
    await startOurs();
    const started = performance.now();
    const { result, codes } = await ask(gateway.url, "{plexConnection(id:5){user}}");
    expect(codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
    expect(result.errors?.[0]?.extensions).toMatchObject({ retryAfterSeconds: 30 });
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(authentik.requests.length).toBeLessThanOrEqual(2);
  });
});

describe("D12: the first of several that share a call leaves", () => {
  test("fails the others in undici's deduplicate interceptor", async () => {
    const gate = createGate();
    authentik.answer(async (_request, _response, fallback) => {
      await gate.opened;
      fallback();
    });
    const dispatcher = new Agent().compose(interceptors.deduplicate());
    const leaving = new AbortController();
    const url = new URL("/api/v3/sources/user_connections/plex/5/", authentik.url);
    const leader = request(url, { dispatcher, signal: leaving.signal });
    const follower = request(url, { dispatcher });
    const outcome = Promise.allSettled([leader, follower]);
    await authentik.arrived(1);
    leaving.abort();
    gate.open();
    expect((await outcome).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  test("harms nobody here", async () => {
    const gate = createGate();
    authentik.answer(async (_request, _response, fallback) => {
      await gate.opened;
      fallback();
    });
    await startOurs();
    const leaving = new AbortController();
    const query = "{plexConnection(id:5){pk user}}";
    const leader = ask(gateway.url, query, { signal: leaving.signal }).catch(() => "left");
    await authentik.arrived(1);
    const followers = [query, "{again:plexConnection(id:5){user identifier}}"].map((text) =>
      ask(gateway.url, text),
    );
    await sleep(100);
    leaving.abort();
    await sleep(50);
    gate.open();
    expect(await leader).toBe("left");
    expect((await Promise.all(followers)).map(({ codes }) => codes)).toEqual([[], []]);
    expect(authentik.requests).toHaveLength(1);
  });
});

describe("D13: documents that exhaust the stack", () => {
  const documents = [
    `${"{a".repeat(3_000)}${"}".repeat(3_000)}`,
    `{a(x:${"[".repeat(50_000)})}`,
    `${"{...".repeat(3_000)}{a}${"}".repeat(3_000)}`,
  ];

  test("are the plain set-up's own failure", async () => {
    await startPlain();
    const statuses = await Promise.all(documents.map(async (query) => (await ask(plain.url, query)).status));
    expect(statuses).toContain(500);
  });

  test("are the document's failure here", async () => {
    await startOurs();
    for (const query of documents) {
      const accept = { accept: "application/graphql-response+json" };
      const { status, codes } = await ask(gateway.url, query, { headers: accept });
      expect(status).toBe(400);
      expect(["LIMIT_EXCEEDED", "GRAPHQL_PARSE_FAILED"]).toContain(codes[0]);
    }
  });
});

describe("D14: an Authorization after the thousandth header", () => {
  const lines = [...Array.from({ length: 1_000 }, (_, i) => `x${i}: y`), "Authorization: Bearer late"];
  const body = '{"query":"{plexConnection(id:5){pk user}}"}';

  test("is dropped by Node before 24, so that an anonymous call goes out of the plain set-up; later ones refuse it", async () => {
    await startPlain();
    const { status } = await raw(plain.url, postText(body, lines));
    const isDropped = Number.parseInt(process.versions.node, 10) < 24;
    expect(status).toBe(isDropped ? 200 : 431);
    expect(authentik.requests).toHaveLength(isDropped ? 1 : 0);
    const names = authentik.requests.flatMap(({ headers }) =>
      headers.filter(([name]) => /^authorization$/i.test(name)),
    );
    expect(names.every(([, value]) => value === "")).toBe(true);
  });

  test("is refused here", async () => {
    await startOurs();
    expect((await raw(gateway.url, postText(body, lines))).status).toBe(431);
    expect(authentik.requests).toHaveLength(0);
  });
});

test("D15: the plug-in that the federation plug-in imports without declaring it is declared here", async () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(manifest).toMatchObject({
    devDependencies: {
      "@pothos/plugin-federation": expect.any(String),
      "@pothos/plugin-directives": expect.any(String),
    },
  });
});

function document(index: number): string {
  return `query Q${index}{${times(9_000, (k) => `a${index}_${k}:x `)}}`;
}

function aliases(count: number): string {
  return `{${times(count, (i) => `a${i}:plexConnection(id:${i + 1}){pk user}`)}}`;
}

function representations(count: number): unknown[] {
  return Array.from({ length: count }, (_, index) => ({ __typename: "PlexSourceConnection", pk: index + 1 }));
}
