import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { scrape } from "../observability/support/scrape.ts";
import { ask } from "../support/ask.ts";
import { type AnswerHandler, sendJson, sendPage } from "../support/fake-authentik.ts";
import { createTestDirectory } from "../support/test-directory.ts";
import { buildCli, preload, startBefore, startCli } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

const QUERY = "{ plexConnection(id: 5) { pk } }";

/** Status and body of `/readyz`. */
async function readiness(url: URL): Promise<[status: number, body: unknown]> {
  const response = await fetch(new URL("/readyz", url));
  return [response.status, await response.json()];
}

/** What it says when it is ready, whatever it knows of authentik. */
const ready = (authentik: string, breaker: unknown = "closed") => [
  200,
  { status: "ready", authentik, breaker },
];

const down: AnswerHandler = (_request, response) => sendPage(response, 502, "Bad Gateway");

/** What does not depend on authentik, and what readiness says. */
async function served(url: URL) {
  const live = await fetch(new URL("/healthz", url));
  return [await readiness(url), live.status, (await ask(url, "{ __typename }")).data];
}

const fixture = (part: string): string => `test/fixtures/tls/localhost.${part}.pem`;

describe("an AUTHENTIK_URL that leads nowhere is said in words and stops nothing:", () => {
  const stillServing = [ready("unreachable"), 200, { __typename: "Query" }];

  test("nothing listens there", async () => {
    // Discard: nobody listens there.
    const cli = startCli(["--port=0"], { AUTHENTIK_URL: "http://127.0.0.1:9" });
    await cli.printed(/answer as it should: .*(refused|nothing listens)/i);
    expect(await served(await cli.url())).toEqual(stillServing);
  });

  test("a certificate that is not trusted, which AUTHENTIK_CA_FILE makes trusted", async () => {
    const [key = "", cert = ""] = ["key", "cert"].map((part) => readFileSync(fixture(part), "utf8"));
    const { cli, url, authentik } = await startBefore({ tls: { key, cert } });
    await cli.printed(/certificate/);
    expect(await served(url)).toEqual(stillServing);

    const env = { AUTHENTIK_URL: authentik.url.href, AUTHENTIK_CA_FILE: fixture("cert") };
    const trusting = startCli(["--port=0"], env);
    await trusting.printed(/authentik answers/);
    expect((await ask(await trusting.url(), QUERY)).data).toEqual({ plexConnection: { pk: 5 } });
  });
});

test("readiness asks authentik once for many, until READINESS_CACHE_MS have passed, and takes GET and HEAD only", async () => {
  const { authentik, cli, url } = await startBefore({}, ["--readiness-cache-ms", "600000"]);
  await cli.printed(/authentik answers/);
  const answers = await Promise.all(Array.from({ length: 20 }, () => readiness(url)));
  expect(answers).toEqual(answers.map(() => ready("ok")));
  expect(authentik.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  const readyz = new URL("/readyz", url);
  const post = await fetch(readyz, { method: "POST", body: "{}" });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  expect((await fetch(readyz, { method: "HEAD" })).status).toBe(200);
});

describe("when authentik goes away", () => {
  test("the gateway stays ready, and tells it in the body, in the metrics and in the log", async () => {
    const { authentik, cli, url } = await startBefore({}, ["--readiness-cache-ms=0"]);
    await cli.printed(/authentik answers/);
    authentik.answer(down);
    expect(await readiness(url)).toEqual(ready("unreachable"));
    expect(await scrape(url)).toMatchObject({ upstream_up: 0 });
    await cli.printed(/does not answer as it should: .*502/);
    authentik.answer(null);
    expect(await readiness(url)).toEqual(ready("ok"));
    expect(await scrape(url)).toMatchObject({ upstream_up: 1 });
    await cli.printed(/authentik answers[^]*authentik answers/);
  });

  test("with READINESS=strict it is not ready until authentik is back; an open breaker is told", async () => {
    const { authentik, cli, url } = await startBefore({}, ["--readiness-cache-ms=0", "--readiness=strict"]);
    await cli.printed(/authentik answers/);
    authentik.answer(down);
    expect(await readiness(url)).toMatchObject([503, { status: "not-ready", authentik: "unreachable" }]);
    const ids = Array.from({ length: 12 }, (_, index) => index + 1);
    await Promise.all(ids.map((id) => ask(url, `{ plexConnection(id: ${id}) { pk } }`)));
    authentik.answer(null);
    expect(await readiness(url)).toEqual(ready("ok", expect.stringMatching(/^(half-)?open$/)));
    expect(await scrape(url)).toMatchObject({ 'breaker_state{state="closed"}': 0 });
  });
});

const dead: AnswerHandler = (_request, response) =>
  sendJson(response, 403, { detail: "Token invalid/expired" });

test("a token that authentik refuses is told to the operator, from the start and while nobody asks, and so is one that lives again", async () => {
  const sandbox = { release: "2025.4", directory: createTestDirectory() } as const;
  const GATEWAY_KEY = "key-of-this-gateway";
  const { authentik, cli, url } = await startBefore({ sandbox, answer: dead }, [], {
    AUTHENTIK_TOKEN: "token-of-alice",
    GATEWAY_KEY,
    // It is up all the same.
    READINESS: "strict",
    // Whoever looks below finds what is known: looking has nobody asked.
    READINESS_CACHE_MS: "600000",
    // Half minutes shall not take half a minute.
    ...preload(`const { setInterval } = globalThis;
      globalThis.setInterval = (run, ms, ...rest) => setInterval(run, ms >= 30_000 ? ms / 300 : ms, ...rest);`),
  });
  const expectKnown = async (authentikIs: string, isValid: number) => {
    expect(await readiness(url)).toEqual(ready(authentikIs));
    expect(await scrape(url)).toMatchObject({ service_credentials_valid: isValid, upstream_up: 1 });
  };
  const [line] = await cli.printed(/^.*refuses AUTHENTIK_TOKEN: it is invalid or expired.*$/m);
  expect(JSON.parse(line)).toMatchObject({ level: "error" });
  await expectKnown("refuses-token", 0);
  expect(new Set(authentik.paths())).toEqual(new Set(["/api/v3/core/users/me/"]));

  const wrongKey = await ask(url, QUERY, { authorization: "Bearer another-key-of-mine" });
  expect(wrongKey.codes).toEqual(["UNAUTHENTICATED"]);
  expect(wrongKey.text).toContain("Send this gateway's key as `Authorization: Bearer <key>`.");
  expect(authentik.paths().filter((path) => path.includes("plex"))).toEqual([]);
  const rightKey = await ask(url, QUERY, { authorization: `Bearer ${GATEWAY_KEY}` });
  expect(rightKey.codes).toEqual(["UPSTREAM_REJECTED"]);
  expect(rightKey.text).toContain("authentik refuses the gateway's own token. Tell the gateway's operator");
  const [request] = await cli.printed(/^.*"problem":"service-credentials".*$/m);
  expect(JSON.parse(request)).toMatchObject({ level: "warn", codes: ["UPSTREAM_REJECTED"] });

  authentik.answer(null);
  await cli.printed(/authentik answers/);
  await expectKnown("ok", 1);
  // Said once, however often it was found.
  expect(cli.output().match(/refuses AUTHENTIK_TOKEN/g)).toHaveLength(1);
  authentik.answer(dead);
  await cli.printed(/refuses AUTHENTIK_TOKEN[^]*refuses AUTHENTIK_TOKEN/);
  await expectKnown("refuses-token", 0);
  expect(cli.output()).not.toContain("token-of-alice");
});
