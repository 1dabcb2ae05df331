import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import type { GatewayOptions } from "../../src/server/gateway.ts";
import { useGateway } from "../support/gateway.ts";
import { raw } from "../support/raw-client.ts";

/*
 * What is refused by its request line and headers alone, before anything of it is read.
 */

const strict = useGateway(beforeAll);
const listed = useGateway(beforeAll, {}, { gateway: { allowedHosts: ["id.example.org", "[::1]"] } });
/** Where reaching the gateway suffices to be let in: a visitor's browser brings that along to whatever page. */
const openAccess: Partial<GatewayOptions> = {
  credentials: { mode: "service", authentikToken: () => "t", gatewayKey: null },
  allowedHosts: hostsOf("127.0.0.1"),
};
const open = useGateway(beforeAll, {}, { gateway: openAccess });
beforeEach(() => {
  for (const { authentik } of [strict, open]) authentik.requests.length = 0;
});

/** The host names that open access lets in, for where it listens. */
function hostsOf(HOST: string): readonly string[] {
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

/** Sends header lines as they are, since clients normalise or refuse what is tested here. */
function ask(lines: readonly string[], { gateway } = strict) {
  const hasBody = lines[0] === POST && !lines.some((line) => line.startsWith("Content-Length"));
  const ending = hasBody ? `Content-Length: ${BODY.length}\r\n\r\n${BODY}` : "\r\n";
  return raw(gateway.url, `${lines.join("\r\n")}\r\nConnection: close\r\n${ending}`);
}

describe("what clients and routers send passes", () => {
  test.each([
    [[GET, HOST]],
    [[POST, HOST, "content-type: Application/JSON ; Charset=UTF-8"]],
    [[POST, HOST, JSON_TYPE, "Content-Encoding: identity"]],
    [[POST, "Host: [::1]:4000", JSON_TYPE]],
    [[POST, "Host: my_service.internal.", JSON_TYPE]],
    // 100 with Connection.
    [[GET, HOST, ...headerLines(98)]],
  ])("%j", async (lines) => {
    expect((await ask(lines)).status).toBe(200);
  });
});

function headerLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `X-${index}: y`);
}

const NOT_JSON = /^Accept-Post: application\/json\r$/m;
const json = (host: string) => [POST, `Host: ${host}`, JSON_TYPE];
const typed = (type: string) => [POST, HOST, `Content-Type: ${type}`];
const REFUSED: [status: number, answered: RegExp, ...requests: string[][]][] = [
  [400, /must be one host name/, ...["", "a b", "[::::]", "x:99999", "a@b", "999.1.1.1"].map(json)],
  [400, /must be one host name/, [POST, HOST, "Host: other", JSON_TYPE]],
  [400, /^Connection: close\r$/m, [POST, JSON_TYPE]],
  [400, /must be a path/, ["GET http://evil/graphql HTTP/1.1", HOST], ["GET //evil/graphql HTTP/1.1", HOST]],
  [
    401,
    /^WWW-Authenticate: Bearer\r\n[^]*"UNAUTHENTICATED"/m,
    [GET, HOST, "Authorization: Bearer a", "AUTHORIZATION: Bearer b"],
  ],
  // An Authorization is perhaps among those that Node drops.
  [431, /at most 100 header lines/, [GET, HOST, ...headerLines(99)]],
  [405, /^Allow: GET, POST\r$/m, ["PUT /graphql HTTP/1.1", HOST], ["OPTIONS /graphql HTTP/1.1", HOST]],
  [415, NOT_JSON, typed("text/plain"), typed("application/x-www-form-urlencoded"), typed("")],
  [415, NOT_JSON, typed("application/json, text/plain"), [...typed("application/json"), "Content-Type: a/b"]],
  [415, NOT_JSON, typed("application/json; charset=utf-8; charset=utf-16")],
  [415, NOT_JSON, typed("application/json; charset=utf-16"), typed('application/json; charset="utf-16')],
  [
    415,
    /^Accept-Encoding: identity\r\n[^]*"Send the body without compression\."/m,
    [...json("a"), "Content-Encoding: gzip"],
  ],
  // Too long to be worth reading to its end.
  [415, /^Connection: close\r$/m, [POST, HOST, "Content-Length: 65537"]],
];

describe("what two parties could read differently, or no browser should be able to send, is refused", () => {
  test.each(REFUSED)("%i %s: %j", async (status, answered, ...requests) => {
    for (const lines of requests) {
      const answer = await ask(lines);
      expect([lines, answer.status, answer.closedByServer]).toEqual([lines, status, true]);
      expect(answer.text).toMatch(answered);
    }
    expect(strict.authentik.requests).toEqual([]);
  });
});

test("only the hosts that are listed are served", async () => {
  for (const [host, status] of [
    ["ID.example.org:80", 200],
    ["[::1]:80", 200],
    ["evil.example.org", 421],
  ])
    expect((await ask([POST, `Host: ${host}`, JSON_TYPE], listed)).status).toBe(status);
});

describe("where reaching the gateway suffices to be let in", () => {
  test.each(["query=%7B__typename%7D", "extensions=%7B%7D", "%71uery=x"])(
    "a GET with %s that any page could send is refused",
    async (search) => {
      const { status, text } = await ask([`GET /graphql?${search} HTTP/1.1`, HOST], open);
      expect([status, text]).toEqual([400, expect.stringContaining("apollo-require-preflight")]);
      expect(open.authentik.requests).toEqual([]);
    },
  );

  test.each([
    [GET, "Apollo-Require-Preflight: true"],
    [GET, JSON_TYPE],
    [POST, JSON_TYPE],
  ])("%s with %s passes, and needs no credential", async (...lines) => {
    const { status, text } = await ask([...lines, HOST], open);
    expect([status, text]).toEqual([200, expect.stringContaining('{"data":{"plexConnection":{"pk":5}}}')]);
  });

  test("a page whose name was pointed to this machine reads nothing", async () => {
    expect((await ask([POST, "Host: evil.example:4000", JSON_TYPE], open)).status).toBe(421);
    expect(open.authentik.requests).toEqual([]);
  });

  test("elsewhere than on this machine its names are for the operator to tell", () => {
    expect(hostsOf("0.0.0.0")).toEqual([]);
  });
});
