import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type AnswerHandler, sendJson, sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { household } from "../support/fake-household.ts";
import { ask, buildCli, preload, startBefore, startCli } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

const TLS = fileURLToPath(new URL("../fixtures/tls/", import.meta.url));

async function startTlsAuthentik(): Promise<string> {
  const [key, cert] = ["key", "cert"].map((part) => readFileSync(`${TLS}localhost.${part}.pem`, "utf8"));
  const authentik = await startFakeAuthentik({ tls: { key: key ?? "", cert: cert ?? "" } });
  onTestFinished(() => authentik.close());
  return authentik.url.href;
}

async function readiness(url: string): Promise<[status: number, body: unknown]> {
  const response = await fetch(new URL("/readyz", url));
  return [response.status, await response.json()];
}

/** What it says when it is ready, whatever it knows of authentik. */
const ready = (authentik: string, breaker: unknown = "closed") => [
  200,
  { status: "ready", authentik, breaker },
];

async function metricsOf(url: string): Promise<string> {
  return (await fetch(new URL("/metrics", url))).text();
}

test.each([
  // Discard: nobody listens there.
  ["nothing listens there", () => "http://127.0.0.1:9", /answer as it should: .*(refused|nothing listens)/i],
  ["a certificate that is not trusted", startTlsAuthentik, /certificate/],
])("a wrong AUTHENTIK_URL is said in words and stops nothing: %s", async (_name, authentikUrl, words) => {
  const cli = startCli(["--port=0"], { AUTHENTIK_URL: await authentikUrl() });
  const url = await cli.url();
  await cli.printed(words);
  expect(await readiness(url)).toEqual(ready("unreachable"));
  expect((await fetch(new URL("/healthz", url))).status).toBe(200);
  expect((await ask(url, "{ __typename }")).body).toEqual({ data: { __typename: "Query" } });
});

test("AUTHENTIK_CA_FILE makes a private certificate trusted", async () => {
  const AUTHENTIK_CA_FILE = `${TLS}localhost.cert.pem`;
  const cli = startCli(["--port=0"], { AUTHENTIK_URL: await startTlsAuthentik(), AUTHENTIK_CA_FILE });
  const url = await cli.url();
  await cli.printed(/authentik answers/);
  expect((await ask(url, "{ plexConnection(id: 5) { pk } }")).body).toEqual({
    data: { plexConnection: { pk: 5 } },
  });
});

test("readiness asks authentik once for many, and again only after READINESS_CACHE_MS", async () => {
  const { authentik, cli, url } = await startBefore({}, ["--readiness-cache-ms", "600000"]);
  await cli.printed(/authentik answers/);
  const answers = await Promise.all(Array.from({ length: 20 }, () => readiness(url)));
  expect(answers).toEqual(answers.map(() => ready("ok")));
  expect(authentik.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
});

async function start(argv: string[] = []) {
  const started = await startBefore({}, ["--readiness-cache-ms=0", ...argv]);
  await started.cli.printed(/authentik answers/);
  return started;
}
const down: AnswerHandler = (_request, response) => sendPage(response, 502, "Bad Gateway");

describe("when authentik goes away", () => {
  test("the gateway stays ready, and tells it in the body, in the metrics and in the log", async () => {
    const { authentik, cli, url } = await start();
    authentik.answer(down);
    expect(await readiness(url)).toEqual(ready("unreachable"));
    expect(await metricsOf(url)).toMatch(/^authentik_graphql_upstream_up 0$/m);
    await cli.printed(/does not answer as it should: .*502/);
    authentik.answer(null);
    expect(await readiness(url)).toEqual(ready("ok"));
    expect(await metricsOf(url)).toMatch(/^authentik_graphql_upstream_up 1$/m);
    await cli.printed(/authentik answers[^]*authentik answers/);
  });

  test("with READINESS=strict it is not ready until authentik is back", async () => {
    const { authentik, url } = await start(["--readiness=strict"]);
    authentik.answer(down);
    const body = { status: "not-ready", authentik: "unreachable", breaker: "closed" };
    expect(await readiness(url)).toEqual([503, body]);
    authentik.answer(null);
    expect(await readiness(url)).toEqual(ready("ok"));
  });

  test("an open breaker is told in the body", async () => {
    const { authentik, url } = await start();
    authentik.answer((request, response, fallback) => {
      if (request.path.includes("page_size=1")) fallback();
      else void down(request, response, fallback);
    });
    const asked = Array.from({ length: 12 }, (_, id) => ask(url, `{ plexConnection(id: ${id + 1}) { pk } }`));
    await Promise.all(asked);
    expect(await readiness(url)).toEqual(ready("ok", expect.stringMatching(/^(half-)?open$/)));
    expect(await metricsOf(url)).toMatch(/^authentik_graphql_breaker_state\{state="(half-)?open"\} 1$/m);
  });
});

const dead: AnswerHandler = (_request, response) =>
  sendJson(response, 403, { detail: "Token invalid/expired" });

test("a token that authentik refuses is told to the operator, from the start and while nobody asks, and so is one that lives again", async () => {
  const authentik = await startFakeAuthentik({
    sandbox: { release: "2025.4", directory: household() },
    answer: dead,
  });
  onTestFinished(() => authentik.close());
  const GATEWAY_KEY = "key-of-this-gateway";
  const cli = startCli(["--port=0"], {
    AUTHENTIK_URL: authentik.url.href,
    AUTHENTIK_TOKEN: "token-of-alice",
    GATEWAY_KEY,
    // Whoever looks below finds what is known: looking has nobody asked.
    READINESS_CACHE_MS: "600000",
    // Half minutes shall not take half a minute.
    ...preload(`const { setInterval } = globalThis;
      globalThis.setInterval = (run, ms, ...rest) => setInterval(run, ms >= 30_000 ? ms / 300 : ms, ...rest);`),
  });
  const url = await cli.url();
  const expectKnown = async (authentikIs: string, isValid: string) => {
    expect(await readiness(url)).toEqual(ready(authentikIs));
    const metric = new RegExp(`^authentik_graphql_service_credentials_valid ${isValid}$`, "m");
    expect(await metricsOf(url)).toMatch(metric);
  };
  const [line] = await cli.printed(/^.*refuses AUTHENTIK_TOKEN: it is invalid or expired.*$/m);
  expect(JSON.parse(line)).toMatchObject({ level: "error" });
  await expectKnown("refuses-token", "0");
  expect(new Set(authentik.paths())).toEqual(new Set(["/api/v3/core/users/me/"]));

  const errorsFor = async (key: string) => {
    const reply = await ask(url, "{ plexConnection(id: 5) { pk } }", { authorization: `Bearer ${key}` });
    return (reply.body as { errors: unknown }).errors; // GraphQL over HTTP says so
  };
  expect(await errorsFor("another-key-of-mine")).toMatchObject([
    {
      message: "Send this gateway's key as `Authorization: Bearer <key>`.",
      extensions: { code: "UNAUTHENTICATED" },
    },
  ]);
  expect(authentik.paths().filter((path) => path.includes("plex"))).toEqual([]);
  expect(await errorsFor(GATEWAY_KEY)).toMatchObject([
    {
      message: "authentik refuses the gateway's own token. Tell the gateway's operator the request id.",
      extensions: { code: "UPSTREAM_REJECTED" },
    },
  ]);
  const [request] = await cli.printed(/^.*"problem":"service-credentials".*$/m);
  expect(JSON.parse(request)).toMatchObject({ level: "warn", codes: ["UPSTREAM_REJECTED"] });

  authentik.answer(null);
  await cli.printed(/authentik answers/);
  await expectKnown("ok", "1");
  // Said once, however often it was found.
  expect(cli.output().match(/refuses AUTHENTIK_TOKEN/g)).toHaveLength(1);
  authentik.answer(dead);
  await cli.printed(/refuses AUTHENTIK_TOKEN[^]*refuses AUTHENTIK_TOKEN/);
  await expectKnown("refuses-token", "0");
  expect(cli.output()).not.toContain("token-of-alice");
});

test("the other routes take GET and HEAD only", async () => {
  const url = await startCli(["--port=0"]).url();
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    const post = await fetch(new URL(path, url), { method: "POST", body: "{}" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    const head = await fetch(new URL(path, url), { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  }
});
