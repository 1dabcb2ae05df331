import { createServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guardRequest, parseTarget, type RequestGuardOptions } from "../../src/server/request-guard.ts";
import type { HttpError } from "../../src/server/graphql-response.ts";

let port = 0;
let options: RequestGuardOptions;
const server = createServer((request: IncomingMessage, response) => {
  response.end(JSON.stringify(guardRequest(request, parseTarget(request), options)));
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends header lines as they are, since clients normalise or refuse what is tested here. */
async function ask(
  lines: readonly string[],
  given: Partial<RequestGuardOptions> = {},
): Promise<HttpError | null> {
  options = { maxHeaderCount: 100, allowedHosts: [], preflight: false, openAccess: false, ...given };
  const socket = connect(port, "127.0.0.1");
  socket.write(`${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  return JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)) as HttpError | null;
}

const GET = "GET /graphql?query=%7B__typename%7D HTTP/1.1";
const POST = "POST /graphql HTTP/1.1";
const HOST = "Host: localhost:4000";
const JSON_TYPE = "Content-Type: application/json";

describe("what clients and routers send passes", () => {
  test.each([
    [[GET, HOST]],
    [[POST, HOST, JSON_TYPE]],
    [[POST, HOST, "content-type: Application/JSON ; Charset=UTF-8"]],
    [[POST, HOST, 'content-type: application/json;charset="utf-8"']],
    [[POST, HOST, JSON_TYPE, "Content-Encoding: identity"]],
    [[POST, HOST, JSON_TYPE, "Authorization: Bearer x"]],
    [[POST, "Host: [::1]:4000", JSON_TYPE]],
    [[POST, "Host: my_service.internal.", JSON_TYPE]],
    [[POST, "Host: 10.0.0.1", JSON_TYPE]],
    [[POST, "Host: xn--bcher-kva.example", JSON_TYPE]],
  ])("%j", async (lines) => {
    expect(await ask(lines)).toBeNull();
  });
});

describe("a malformed Host header is refused before it becomes part of a URL", () => {
  const hosts = [
    "",
    "a b",
    "[",
    "[::::]",
    "%",
    "x:99999",
    "x:1e3",
    "a/b",
    "a@b",
    "999.1.1.1",
    "a,b",
    "a?b",
    "a\\b",
  ];
  test.each(hosts)("%j", async (host) => {
    expect(await ask([POST, `Host: ${host}`, JSON_TYPE])).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  });
  test("two Host headers", async () => {
    expect(await ask([POST, HOST, "Host: other", JSON_TYPE])).toMatchObject({ status: 400 });
  });
  test("a host name that is not served", async () => {
    const given = { allowedHosts: ["id.example.org", "[::1]"] };
    expect(await ask([POST, "Host: ID.example.org:80", JSON_TYPE], given)).toBeNull();
    expect(await ask([POST, "Host: [::1]:80", JSON_TYPE], given)).toBeNull();
    expect(await ask([POST, "Host: evil.example.org", JSON_TYPE], given)).toMatchObject({ status: 421 });
  });
});

describe("request lines and headers that two parties could read differently", () => {
  test.each(["http://evil/graphql", "//evil/graphql", "/\\evil/graphql"])("target %s", async (target) => {
    expect(await ask([`GET ${target} HTTP/1.1`, HOST])).toMatchObject({ status: 400 });
  });
  test("two Authorization headers, however they are spelt", async () => {
    expect(await ask([GET, HOST, "Authorization: Bearer a", "AUTHORIZATION: Bearer b"])).toMatchObject({
      status: 401,
      code: "UNAUTHENTICATED",
      headers: ["WWW-Authenticate", "Bearer"],
    });
  });
  test("more headers than allowed, an Authorization perhaps among those that Node drops", async () => {
    const many = Array.from({ length: 98 }, (_, index) => `X-${index}: y`);
    expect(await ask([GET, HOST, ...many])).toBeNull();
    expect(await ask([GET, HOST, ...many, "X: y"])).toMatchObject({ status: 431 });
  });
});

describe("methods and media types", () => {
  test.each(["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])("%s is not allowed", async (method) => {
    expect(await ask([`${method} /graphql HTTP/1.1`, HOST])).toMatchObject({
      status: 405,
      headers: ["Allow", "GET, POST"],
    });
  });
  test("OPTIONS is answered where browsers of other origins are allowed", async () => {
    expect(await ask(["OPTIONS /graphql HTTP/1.1", HOST], { preflight: true })).toBeNull();
  });
  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/graphql",
    "application/graphql-response+json",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; charset=utf-16",
    'application/json; charset="utf-16',
    "application/json, text/plain",
    "application/jsonp",
    "",
  ])("a body of type %j is refused", async (type) => {
    expect(await ask([POST, HOST, `Content-Type: ${type}`])).toMatchObject({ status: 415 });
  });
  test("a body of two types is refused, whichever comes first", async () => {
    for (const types of [
      [JSON_TYPE, "Content-Type: text/plain"],
      ["Content-Type: text/plain", JSON_TYPE],
    ])
      expect(await ask([POST, HOST, ...types])).toMatchObject({ status: 415 });
  });
  test("a body without type is refused", async () => {
    expect(await ask([POST, HOST])).toMatchObject({ status: 415 });
  });
  test.each(["gzip", "br", "deflate, gzip", "x"])("Content-Encoding %s is refused", async (encoding) => {
    expect(await ask([POST, HOST, JSON_TYPE, `Content-Encoding: ${encoding}`])).toMatchObject({
      status: 415,
      headers: ["Accept-Encoding", "identity"],
    });
  });
  test("a long body that is refused is not read to its end", async () => {
    const refusal = await ask([POST, HOST, "Content-Length: 65537"]);
    expect(refusal).toMatchObject({ status: 415, headers: expect.arrayContaining(["Connection", "close"]) });
  });
});

describe("where reaching the gateway suffices to be let in", () => {
  const open = { openAccess: true };
  test.each(["query=%7B__typename%7D", "variables=%7B%7D&query=x", "extensions=%7B%7D", "%71uery=x"])(
    "a GET with %s that any page could send is refused",
    async (search) => {
      expect(await ask([`GET /graphql?${search} HTTP/1.1`, HOST], open)).toMatchObject({ status: 400 });
    },
  );
  test.each([
    "Apollo-Require-Preflight: true",
    "X-Apollo-Operation-Name: A",
    "Content-Type: application/json",
  ])("a GET with %s passes", async (line) => {
    expect(await ask([GET, HOST, line], open)).toBeNull();
  });
  test("pages and POSTs pass", async () => {
    expect(await ask(["GET /graphql HTTP/1.1", HOST], open)).toBeNull();
    expect(await ask([POST, HOST, JSON_TYPE], open)).toBeNull();
  });
});
