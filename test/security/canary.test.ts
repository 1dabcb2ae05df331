import { beforeAll, expect, test } from "vitest";
import { buildCli, startBefore } from "../process/cli.ts";
import { type AnswerHandler, json, page, type Sending } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { ask, askBody, read } from "../support/ask.ts";
import { postText, raw } from "../support/raw-client.ts";

// Secrets that can be recognised go in at every door; whatever the gateway says, to whomever, is searched for them.

const CALLER = "canary-credential-of-the-caller";
const COOKIE = "canary-cookie";
const PLEX = "canary-plex-token";
const AUTHENTIKS = "canary-credential-of-the-gateway";
const KEY = "canary-gateway-key";
const CANARY = /canary-(credential|cookie|plex|gateway)/;

beforeAll(buildCli);

const SECRETS = { plex_token: PLEX, detail: `${PLEX} of ${CALLER}`, error: PLEX };
/** How authentik misbehaves, by the key that is asked for, from 11 on. */
const MISBEHAVIOUR: Sending[] = [
  json(400, { plex_token: PLEX, error: CALLER, identifier: ["Too long."] }),
  ...[401, 403, 404, 429, 500, 503, 302].map((status) =>
    json(status, SECRETS, { Location: `/login?${PLEX}`, "Retry-After": "1" }),
  ),
  (response) => response.destroy(),
  page(200, PLEX + CALLER),
  (response) => response.writeHead(200, { "Content-Type": "application/json" }).end(`{"${PLEX}`),
  json(200, { ...connectionBody(22), user: PLEX, plex_token: PLEX }),
];

const leak: AnswerHandler = ({ path }, response, fallback) => {
  response.setHeader("Set-Cookie", `session=${COOKIE}`);
  response.setHeader("X-authentik-id", PLEX);
  const misbehave = MISBEHAVIOUR[Number(/(\d+)\/$/.exec(path)?.[1]) - 11];
  if (misbehave) misbehave(response);
  else fallback();
};

/** The gateway before an authentik that leaks. */
async function start(env: Record<string, string> = {}) {
  const options = { LOG_LEVEL: "trace", LOG_FORMAT: "json", ...env };
  const { authentik, cli, url } = await startBefore({ answer: leak }, [], options);
  for (const [pk, body] of authentik.directory) authentik.directory.set(pk, { ...body, plex_token: PLEX });
  const readLog = async (): Promise<string> => {
    cli.kill("SIGTERM");
    await cli.exited;
    return cli.output();
  };
  return { authentik, url: new URL(url), readLog };
}

const MANY = "{a:plexConnection(id:1){user} b:plexConnection(id:2){user} c:plexConnection(id:9){user}}";
const ENTITIES = `{_entities(representations:[{__typename:"PlexSourceConnection",pk:1},{__typename:"Source",pk:"5eed0000-0000-4000-8000-00000000000a"}]){...on PlexSourceConnection{user}...on Source{name}}}`;

async function askEverything(url: URL, token: string): Promise<string> {
  const said: string[] = [];
  const keep = ({ text, headers = new Headers() }: { text: string; headers?: Headers }): void => {
    said.push(text, JSON.stringify([...headers]));
    // Traces for routers are binary, as Base64 inside the JSON.
    for (const [, trace] of text.matchAll(/"ftv1":"([^"]+)"/g))
      said.push(`trace: ${Buffer.from(trace ?? "", "base64").toString("latin1")}`);
  };
  const authorization = `Bearer ${token}`;
  const headers = { cookie: `authentik_session=${COOKIE}`, accept: "*/*" };
  const options = { authorization, headers };
  const byKey = Array.from(
    { length: 10 + MISBEHAVIOUR.length },
    (_, index) => `query Named{plexConnection(id:${index + 1}){pk user identifier source{name}}}`,
  );
  for (const query of [...byKey, MANY, ENTITIES, "{nothing", "{__schema{queryType{name}}}"])
    keep(await ask(url, query, options));
  const traced = { ...headers, "apollo-federation-include-trace": "ftv1" };
  keep(await ask(url, ENTITIES, { authorization, headers: traced }));
  keep(await askBody(url, '{"query":', options));
  const line = `Authorization: ${authorization}`;
  const broken = [
    postText("{}", [line, line]),
    postText("{}", ["Host: a b", line]),
    `BROKEN ${line}\r\n\r\n`,
  ];
  for (const bytes of broken) keep(await raw(url, bytes));
  await ask(url, MANY, { ...options, signal: AbortSignal.timeout(1) }).catch(() => {});
  const browsing = { headers: { ...headers, authorization, accept: "text/html" } };
  for (const path of ["/", "/graphql", "/healthz", "/readyz", "/metrics", "/nothing"])
    keep(await read(await fetch(new URL(path, url), browsing)));
  return said.join("\n");
}

test("the caller's credential and cookie and authentik's secrets get nowhere", async () => {
  const { authentik, url, readLog } = await start();
  const said = await askEverything(url, CALLER);
  expect(said).toContain("trace: ");
  expect(said).not.toMatch(CANARY);
  const log = await readLog();
  expect(log).not.toMatch(CANARY);
  // The run must have been what it is meant to be.
  expect(log.match(/"msg":"request"/g)?.length).toBeGreaterThan(30);
  const codes = "UNAUTHENTICATED UPSTREAM_ERROR UPSTREAM_INVALID_RESPONSE RATE_LIMITED BAD_REQUEST";
  for (const code of codes.split(" ")) expect(log + said).toContain(code);
  const credentials = new Set(authentik.requests.map(({ authorization }) => authorization));
  // The gateway's own probe shows none.
  expect(credentials).toEqual(new Set([undefined, `Bearer ${CALLER}`]));
  expect(JSON.stringify(authentik.requests)).not.toContain(COOKIE);
}, 60_000);

test("the gateway's own credential and key get nowhere", async () => {
  const { authentik, url, readLog } = await start({ AUTHENTIK_TOKEN: AUTHENTIKS, GATEWAY_KEY: KEY });
  const said = (await askEverything(url, KEY)) + (await askEverything(url, "not-the-key"));
  expect(said + (await readLog())).not.toMatch(CANARY);
  expect(authentik.requests.length).toBeGreaterThan(20);
  expect(JSON.stringify(authentik.requests)).not.toContain(KEY);
}, 60_000);
