import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { ask } from "../support/ask.ts";
import { postText, raw } from "../support/raw-client.ts";

let authentik: FakeAuthentik;
let gateway: TestGateway;

beforeEach(async () => {
  authentik = await startFakeAuthentik();
  gateway = await startGateway({ authentikUrl: authentik.url });
});
afterEach(async () => {
  await gateway.close();
  await authentik.close();
});

const BODY = '{"query":"{plexConnection(id:5){pk user}}"}';
const HOSTILE = [
  "Cookie: authentik_session=canary",
  "Accept: application/json, canary/x",
  "Accept-Language: de-canary",
  "Accept-Encoding: gzip, canary",
  "User-Agent: canary",
  "X-Forwarded-For: 10.0.0.1, canary",
  "X-Forwarded-Host: canary",
  "X-Forwarded-Proto: canary",
  "X-Real-IP: canary",
  "Forwarded: for=canary",
  "X-authentik-username: canary",
  "X_authentik_username: canary",
  "X_Authentik_Groups: canary",
  "Remote-User: canary",
  "Remote_User: canary",
  "Authorization_: Bearer canary",
  "Proxy-Authorization: Basic canary",
  "X-CSRFToken: canary",
  "X-authentik-CSRF: canary",
  "X-HTTP-Method-Override: DELETE",
  "X-Original-URL: /api/v3/core/users/canary",
  "TE: trailers",
  "Trailer: canary",
  "Keep-Alive: canary",
  "Range: bytes=0-1",
  "If-None-Match: canary",
];

test("authentik sees the headers of a fixed list and nothing else of the caller's", async () => {
  const lines = ["Authorization: Bearer token-of-alice", "X-Request-Id: join-me-1", ...HOSTILE];
  const { status } = await raw(gateway.url, postText(BODY, lines));
  expect(status).toBe(200);
  const [request] = authentik.requests;
  const seen = Object.fromEntries(
    (request?.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]),
  );
  expect(seen).toEqual({
    host: authentik.url.host,
    connection: "keep-alive",
    accept: "application/json",
    "accept-encoding": "identity",
    "accept-language": "en",
    "user-agent": "authentik-graphql/test",
    "x-request-id": "join-me-1",
    authorization: "Bearer token-of-alice",
  });
  expect(request?.headers).toHaveLength(8);
  expect(request?.method).toBe("GET");
});

test("Connection: Authorization does not make the credential disappear or reach anybody else", async () => {
  const lines = ["Authorization: Bearer token-of-alice", "Connection: authorization, x-request-id"];
  await raw(gateway.url, postText(BODY, lines).replace("Connection: close\r\n", ""), { waitMs: 500 });
  const names = authentik.requests[0]?.headers.map(([name]) => name.toLowerCase());
  expect(names).toContain("authorization");
});

test("a request id that is no harmless text is replaced, not passed on", async () => {
  for (const id of ["a b", "<script>", "x".repeat(129), "ü", '"', "a;b"]) {
    authentik.requests.length = 0;
    const answer = await raw(gateway.url, postText(BODY, ["Authorization: Bearer a", `X-Request-Id: ${id}`]));
    expect(/^x-request-id: (.*)\r$/im.exec(answer.text)?.[1]).toMatch(/^[0-9a-f-]{36}$/);
    const sent = authentik.requests[0]?.headers.find(([name]) => name === "X-Request-Id")?.[1];
    expect(sent).toMatch(/^[0-9a-f-]{36}$/);
  }
});

describe("credentials that are none never leave the gateway", () => {
  const tokens = [
    "",
    "Bearer",
    "Bearer ",
    "token-without-scheme",
    "Bearer a b",
    "Bearer t\u00f6ken",
    "Bearer a\tb",
    "Bearer \u0001",
    "Bearer a, Bearer b",
    "Bearer a\u0000b",
    "Basic YTpi",
    "Token a",
  ];
  test.each(tokens)("%j", async (token) => {
    const { text, status } = await raw(
      gateway.url,
      Buffer.from(postText(BODY, [`Authorization: ${token}`]), "latin1"),
    );
    // Node itself refuses control characters with an answer of its own.
    expect(status === 200 ? text : "").toMatch(status === 200 ? /"UNAUTHENTICATED"/ : /^$/);
    expect([200, 400]).toContain(status);
    expect(authentik.requests).toEqual([]);
  });

  test("no Authorization at all", async () => {
    const { codes } = await ask(gateway.url, "{plexConnection(id:5){pk user}}", { authorization: null });
    expect(codes).toEqual(["UNAUTHENTICATED"]);
    expect(authentik.requests).toEqual([]);
  });

  test("a line break in a header ends the request, not the header of authentik's", async () => {
    const bytes = postText(BODY, ["Authorization: Bearer a\rX-Injected: canary", "X: y\nX-Injected: canary"]);
    const { status } = await raw(gateway.url, bytes);
    expect(status).toBe(400);
    expect(authentik.requests).toEqual([]);
  });
});

describe("ids and keys that are none never leave the gateway", () => {
  const ids = [
    "../5",
    "..",
    ".",
    "5/../6",
    "%2e%2e",
    "5?x=1",
    "5#",
    "5\\..\\6",
    "//evil",
    "\\evil",
    "5\r\nX: y",
    "",
    "٥",
  ];
  test.each(ids)("id %j", async (id) => {
    const query = "query($id:ID!){plexConnection(id:$id){user}}";
    const { codes } = await ask(gateway.url, query, { variables: { id } });
    expect(codes).toEqual(["BAD_USER_INPUT"]);
    expect(authentik.requests).toEqual([]);
  });

  test.each(ids)("key %j", async (pk) => {
    const query =
      "query($r:[_Any!]!){_entities(representations:$r){...on Source{name}...on PlexSourceConnection{user}}}";
    const r = [
      { __typename: "Source", pk },
      { __typename: "PlexSourceConnection", pk },
      { __typename: "PlexSourceConnection", id: pk },
    ];
    const { codes } = await ask(gateway.url, query, { variables: { r } });
    expect(codes).toEqual(["BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT"]);
    expect(authentik.requests).toEqual([]);
  });
});
