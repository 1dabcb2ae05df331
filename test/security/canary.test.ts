import { afterEach, beforeAll, expect, test } from "vitest";
import { buildCli } from "../process/cli.ts";
import { sendJson, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody, listBody } from "../support/wire-bodies.ts";
import { ask, askBody } from "../support/ask.ts";
import type { ServerProcess } from "./support/child.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import { postText, raw } from "../support/raw-client.ts";

/*
 * Secrets that can be recognised go in at every door; whatever the gateway says, to whomever, is searched for them.
 */

const CALLER = "canary-credential-of-the-caller";
const COOKIE = "canary-cookie";
const PLEX = "canary-plex-token";
const AUTHENTIKS = "canary-credential-of-the-gateway";
const KEY = "canary-gateway-key";
const CANARY = /canary-(credential|cookie|plex|gateway)/;

beforeAll(buildCli);

let authentik: FakeAuthentik;
let gateway: ServerProcess;
afterEach(async () => {
  await gateway.stop();
  await authentik.close();
});

/** authentik as it misbehaves by the key that is asked for, with secrets in everything that it says. */
async function startLeakyAuthentik(): Promise<void> {
  authentik = await startFakeAuthentik();
  const secrets = { plex_token: PLEX, detail: `${PLEX} of ${CALLER}`, error: PLEX };
  const statuses: Record<number, number> = {
    11: 400,
    12: 401,
    13: 403,
    14: 404,
    15: 429,
    16: 500,
    17: 503,
    18: 302,
  };
  authentik.answer((request, response) => {
    const pk = Number(/(\d+)\/$/.exec(request.path)?.[1] ?? 0);
    response.setHeader("Set-Cookie", `session=${COOKIE}`);
    response.setHeader("X-authentik-id", PLEX);
    const status = statuses[pk];
    if (status === 400)
      sendJson(response, 400, { plex_token: PLEX, error: CALLER, identifier: ["Too long."] });
    else if (status !== undefined)
      sendJson(response, status, secrets, { Location: `/login?${PLEX}`, "Retry-After": "1" });
    else if (pk === 19) response.destroy();
    else if (pk === 20) response.writeHead(200, { "Content-Type": "text/html" }).end(`<p>${PLEX}${CALLER}`);
    else if (pk === 21) response.writeHead(200, { "Content-Type": "application/json" }).end(`{"${PLEX}`);
    else if (pk === 22) sendJson(response, 200, { ...connectionBody(22), user: PLEX, plex_token: PLEX });
    else if (request.path.includes("?")) {
      const rows = [1, 2, 3].map((row) => connectionBody(row, { plex_token: PLEX }));
      sendJson(response, 200, listBody(rows, { page: 1, pageSize: 100, count: 3 }));
    } else sendJson(response, 200, connectionBody(pk, { plex_token: PLEX }));
  });
}

async function askEverything(token: string): Promise<string> {
  const said: string[] = [];
  const options = { authorization: `Bearer ${token}`, headers: { cookie: `authentik_session=${COOKIE}` } };
  const keep = ({ text, headers }: { text: string; headers?: Headers }): void => {
    said.push(text, headers === undefined ? "" : JSON.stringify([...headers]));
    // Traces for routers are binary, as Base64 inside the JSON.
    for (const [, trace] of text.matchAll(/"ftv1":"([^"]+)"/g))
      said.push(`trace: ${Buffer.from(trace ?? "", "base64").toString("latin1")}`);
  };
  for (let pk = 1; pk <= 22; pk++)
    keep(
      await ask(
        gateway.url,
        `query Named{plexConnection(id:${pk}){pk user identifier source{name}}}`,
        options,
      ),
    );
  const many = "{a:plexConnection(id:1){user} b:plexConnection(id:2){user} c:plexConnection(id:9){user}}";
  keep(await ask(gateway.url, many, options));
  const entities = `{_entities(representations:[{__typename:"PlexSourceConnection",pk:1},{__typename:"Source",pk:"5eed0000-0000-4000-8000-00000000000a"}]){...on PlexSourceConnection{user}...on Source{name}}}`;
  keep(await ask(gateway.url, entities, options));
  keep(
    await ask(gateway.url, entities, {
      ...options,
      headers: { ...options.headers, "apollo-federation-include-trace": "ftv1" },
    }),
  );
  keep(await ask(gateway.url, "{nothing", options));
  keep(await ask(gateway.url, "{__schema{queryType{name}}}", options));
  keep(await askBody(gateway.url, '{"query":', options));
  keep(await askBody(gateway.url, "[]", options));
  keep(await raw(gateway.url, postText("{}", [`Authorization: Bearer ${token}`, "Authorization: Bearer x"])));
  keep(await raw(gateway.url, postText("{}", ["Host: a b", `Authorization: Bearer ${token}`])));
  keep(await raw(gateway.url, `BROKEN ${token}\r\n\r\n`));
  await ask(gateway.url, many, { ...options, signal: AbortSignal.timeout(1) }).catch(() => {});
  for (const path of ["/", "/graphql", "/healthz", "/readyz", "/metrics", "/nothing"]) {
    const headers = { accept: "text/html", authorization: `Bearer ${token}`, cookie: COOKIE };
    const answer = await fetch(new URL(path, gateway.url), { headers });
    keep({ text: await answer.text(), headers: answer.headers });
  }
  return said.join("\n");
}

async function stopAndRead(): Promise<string> {
  gateway.child.kill("SIGTERM");
  await gateway.ended;
  return gateway.output();
}

test("the caller's credential and cookie and authentik's secrets get nowhere", async () => {
  await startLeakyAuthentik();
  gateway = await startGatewayProcess(authentik.url, { env: { LOG_LEVEL: "trace", LOG_FORMAT: "json" } });
  const said = await askEverything(CALLER);
  expect(said).toContain("trace: ");
  expect(said).not.toMatch(CANARY);
  const log = await stopAndRead();
  expect(log).not.toMatch(CANARY);
  // The run must have been what it is meant to be.
  expect(log.match(/"msg":"request"/g)?.length).toBeGreaterThan(30);
  for (const code of [
    "UNAUTHENTICATED",
    "UPSTREAM_ERROR",
    "UPSTREAM_INVALID_RESPONSE",
    "RATE_LIMITED",
    "BAD_REQUEST",
  ])
    expect(log + said).toContain(code);
  const authorizations = new Set(
    authentik.requests.flatMap(({ headers }) =>
      headers.filter(([name]) => name === "Authorization").map(([, value]) => value),
    ),
  );
  expect([...authorizations]).toEqual([`Bearer ${CALLER}`]);
  expect(JSON.stringify(authentik.requests)).not.toContain(COOKIE);
}, 60_000);

test("the gateway's own credential and key get nowhere", async () => {
  await startLeakyAuthentik();
  gateway = await startGatewayProcess(authentik.url, {
    env: { LOG_LEVEL: "trace", LOG_FORMAT: "json", AUTHENTIK_TOKEN: AUTHENTIKS, GATEWAY_KEY: KEY },
  });
  const said = (await askEverything(KEY)) + (await askEverything("not-the-key"));
  expect(said + (await stopAndRead())).not.toMatch(CANARY);
  expect(authentik.requests.length).toBeGreaterThan(20);
  expect(JSON.stringify(authentik.requests)).not.toContain(KEY);
}, 60_000);
