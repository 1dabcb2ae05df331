import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { useGateway } from "../support/gateway.ts";
import { raw } from "../support/raw-client.ts";

// What is refused by its request line and headers alone, before anything of it is read.

const strict = useGateway(beforeAll);
const listed = useGateway(beforeAll, {}, { gateway: { allowedHosts: ["id.example.org", "[::1]"] } });
/** Where reaching the gateway suffices to be let in: a visitor's browser brings that along to whatever page. */
const open = useGateway(
  beforeAll,
  {},
  {
    gateway: {
      credentials: { mode: "service", authentikToken: () => "t", gatewayKey: null },
      allowedHosts: hostsOfOpenAccessAt("127.0.0.1"),
    },
  },
);
beforeEach(() => {
  for (const { authentik } of [strict, open]) authentik.requests.length = 0;
});

function hostsOfOpenAccessAt(HOST: string): readonly string[] {
  const env = { AUTHENTIK_URL: "http://x", AUTHENTIK_TOKEN: "t", OPEN_ACCESS: "true", HOST };
  const loaded = loadConfig({ env, argv: [], readFile: () => "" });
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.gateway.allowedHosts;
}

const GET = "GET /graphql?query=%7BplexConnection(id:5)%7Bpk%7D%7D HTTP/1.1";
const POST = "POST /graphql HTTP/1.1";
const HOST = "Host: localhost:4000";
const JSON_TYPE = "Content-Type: application/json";
const BODY = '{"query":"{plexConnection(id:5){pk}}"}';
const json = (host: string) => [POST, `Host: ${host}`, JSON_TYPE];
const typed = (type: string) => [POST, HOST, `Content-Type: ${type}`];
const headerLines = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: y`);

/** Sends header lines as they are, since clients normalise or refuse what is tested here. */
function ask(lines: readonly string[], { gateway } = strict) {
  const hasBody = lines[0] === POST && !lines.some((line) => line.startsWith("Content-Length"));
  const ending = hasBody ? `Content-Length: ${BODY.length}\r\n\r\n${BODY}` : "\r\n";
  return raw(gateway.url, `${lines.join("\r\n")}\r\nConnection: close\r\n${ending}`);
}

test("what clients and routers send passes", async () => {
  for (const lines of [
    typed("Application/JSON ; Charset=UTF-8"),
    [...json("[::1]:4000"), "Content-Encoding: identity"],
    json("my_service.internal."),
    // 100 with Connection.
    [GET, HOST, ...headerLines(98)],
  ])
    expect([lines, (await ask(lines)).status]).toEqual([lines, 200]);
});

const NOT_JSON = /^Accept-Post: application\/json\r$/m;

test.each<[status: number, answered: RegExp, ...requests: string[][]]>([
  [400, /must be one host name/, ...["", "a b", "[::::]", "x:99999", "a@b", "999.1.1.1"].map(json)],
  [400, /must be one host name/, [...json("a"), "Host: b"]],
  [400, /must be a path/, ["GET http://evil/graphql HTTP/1.1", HOST], ["GET //evil/graphql HTTP/1.1", HOST]],
  [401, /^WWW-Authenticate: Bearer\r$/m, [GET, HOST, "Authorization: Bearer a", "AUTHORIZATION: Bearer b"]],
  // An Authorization is perhaps among those that Node drops.
  [431, /at most 100 header lines/, [GET, HOST, ...headerLines(99)]],
  [405, /^Allow: GET, POST\r$/m, ["PUT /graphql HTTP/1.1", HOST], ["OPTIONS /graphql HTTP/1.1", HOST]],
  [415, NOT_JSON, typed("text/plain"), typed("application/x-www-form-urlencoded"), typed("")],
  [415, NOT_JSON, typed("application/json, text/plain"), [...json("a"), "Content-Type: text/plain"]],
  [415, NOT_JSON, typed("application/json; charset=utf-8; charset=utf-16")],
  [415, NOT_JSON, typed("application/json; charset=utf-16"), typed('application/json; charset="utf-16')],
  [415, /"Send the body without compression\."/, [...json("a"), "Content-Encoding: gzip"]],
  [417, /\{"errors":\[\{"message":"Expect nothing but 100-continue\."/, [...json("a"), "Expect: 200-maybe"]],
  // Too long to be worth reading to its end.
  [415, /^Connection: close\r$/m, [POST, HOST, "Content-Length: 65537"]],
])(
  "what two parties could read differently, or any page could send, is %i %s: %j",
  async (status, answered, ...requests) => {
    for (const lines of requests) {
      const answer = await ask(lines);
      expect([lines, answer.status, answer.closedByServer]).toEqual([lines, status, true]);
      expect(answer.text).toMatch(answered);
    }
    expect(strict.authentik.requests).toEqual([]);
  },
);

test("only the hosts that are listed are served", async () => {
  expect((await ask(json("ID.example.org:80"), listed)).status).toBe(200);
  expect((await ask(json("[::1]:80"), listed)).status).toBe(200);
  expect((await ask(json("evil.example.org"), listed)).status).toBe(421);
});

describe("where reaching the gateway suffices to be let in", () => {
  test.each(["query=%7B__typename%7D", "extensions=%7B%7D", "%71uery=x"])(
    "a GET with %s that any page could send is refused",
    async (search) => {
      const { status, text } = await ask([`GET /graphql?${search} HTTP/1.1`, HOST], open);
      expect([status, text]).toEqual([400, expect.stringContaining("apollo-require-preflight")]);
    },
  );

  test("no credential is needed for what a page can send only after asking", async () => {
    for (const lines of [
      [GET, "Apollo-Require-Preflight: true"],
      [GET, JSON_TYPE],
      [POST, JSON_TYPE],
    ])
      expect((await ask([...lines, HOST], open)).text).toContain('{"data":{"plexConnection":{"pk":5}}}');
  });

  test("a page whose name was pointed to this machine reads nothing", async () => {
    expect((await ask(json("evil.example:4000"), open)).status).toBe(421);
    expect(open.authentik.requests).toEqual([]);
    // Elsewhere the names are for the operator to tell.
    expect(hostsOfOpenAccessAt("0.0.0.0")).toEqual([]);
  });
});
