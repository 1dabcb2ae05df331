import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { patience } from "../support/patience.ts";
import { sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { ask, buildCli, startCli } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fixture(name: string): URL {
  return new URL(`../fixtures/tls/${name}`, import.meta.url);
}

async function startTlsAuthentik(name: string): Promise<string> {
  const [key, cert] = ["key", "cert"].map((part) => readFileSync(fixture(`${name}.${part}.pem`), "utf8"));
  const authentik = await startFakeAuthentik({ tls: { key: key ?? "", cert: cert ?? "" } });
  onTestFinished(() => authentik.close());
  return authentik.url.href;
}

/** Starts a gateway in front of it and checks all that a wrong URL must lead to. */
async function servesUnready(authentikUrl: string, words: RegExp): Promise<boolean> {
  const cli = startCli(["--port=0"], { AUTHENTIK_URL: authentikUrl });
  const url = await cli.url();
  await cli.printed(words);
  const ready = await fetch(url.replace("/graphql", "/readyz"));
  const text = await ready.text();
  expect([ready.status, JSON.parse(text)]).toEqual([
    503,
    { status: "authentik-unreachable", authentik: "unreachable", breaker: expect.any(String) },
  ]);
  expect(text).not.toContain("127.0.0.1");
  expect((await fetch(url.replace("/graphql", "/healthz"))).status).toBe(200);
  const { body } = await ask(url, "{ __typename }");
  return JSON.stringify(body) === '{"data":{"__typename":"Query"}}';
}

describe("a wrong AUTHENTIK_URL is said in words and stops nothing", () => {
  test("nothing listens there", async () => {
    const unused = createServer();
    const url = await listening(unused);
    await new Promise((resolve) => unused.close(resolve));
    expect(await servesUnready(url, /does not answer as it should: .*(refused|nothing listens)/i)).toBe(true);
  });

  test("a web server that is no authentik", async () => {
    const url = await listening(createServer((_request, response) => sendPage(response, 200, "It works!")));
    expect(await servesUnready(url, /answers with a page instead of the API/)).toBe(true);
  });

  test("a certificate that is not trusted", async () => {
    expect(await servesUnready(await startTlsAuthentik("localhost"), /certificate/)).toBe(true);
  });

  test("a path prefix that is missing", async () => {
    const authentik = await startFakeAuthentik({ prefix: "/auth" });
    onTestFinished(() => authentik.close());
    const url = authentik.url.href.replace("/auth", "");
    expect(await servesUnready(url, /path prefix/)).toBe(true);
  });
});

test("AUTHENTIK_CA_FILE makes a private certificate trusted", async () => {
  const env = { AUTHENTIK_CA_FILE: fileURLToPath(fixture("localhost.cert.pem")) };
  const cli = startCli(["--port=0"], { AUTHENTIK_URL: await startTlsAuthentik("localhost"), ...env });
  const url = await cli.url();
  await cli.printed(/authentik answers/);
  expect((await ask(url, "{ plexConnection(id: 5) { pk } }")).body).toEqual({
    data: { plexConnection: { pk: 5 } },
  });
});

test("readiness asks authentik once for many, and again only after READINESS_CACHE_MS", async () => {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  const cli = startCli(["--port=0", "--readiness-cache-ms", "600000"], { AUTHENTIK_URL: authentik.url.href });
  const readiness = (await cli.url()).replace("/graphql", "/readyz");
  await cli.printed(/authentik answers/);
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(readiness)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(authentik.requests).toHaveLength(1);
  expect(authentik.requests[0]?.headers.map(([name]) => name.toLowerCase())).not.toContain("authorization");
});

test("readiness follows authentik down and up again, and the log says both in words", async () => {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  const cli = startCli(["--port=0", "--readiness-cache-ms", "0"], { AUTHENTIK_URL: authentik.url.href });
  const readiness = (await cli.url()).replace("/graphql", "/readyz");
  await cli.printed(/authentik answers/);
  authentik.answer((_request, response) => sendPage(response, 502, "Bad Gateway"));
  expect((await fetch(readiness)).status).toBe(503);
  await cli.printed(/does not answer as it should: .*502/);
  authentik.answer(null);
  await expect.poll(async () => (await fetch(readiness)).status, patience).toBe(200);
  await cli.printed(/authentik answers[^]*authentik answers/);
});

test("the other routes take GET and HEAD only", async () => {
  const cli = startCli(["--port=0"]);
  const base = (await cli.url()).replace("/graphql", "");
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    expect((await fetch(base + path, { method: "POST", body: "{}" })).status).toBe(405);
    const head = await fetch(base + path, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  }
});
