import { beforeEach, expect, test } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { postText, raw } from "../support/raw-client.ts";

const at = useGateway(beforeEach);

const BODY = '{"query":"{plexConnection(id:5){pk user}}"}';
const NAMES =
  "Cookie Accept-Language User-Agent X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Real-IP Forwarded " +
  "X-authentik-username X_authentik_username X_Authentik_Groups Remote-User Remote_User Authorization_ " +
  "Proxy-Authorization X-CSRFToken X-authentik-CSRF X-HTTP-Method-Override X-Original-URL Trailer If-None-Match";
const HOSTILE = [
  ...NAMES.split(" ").map((name) => `${name}: canary`),
  "Accept: application/json, canary/x",
  "Accept-Encoding: gzip, canary",
  "TE: trailers",
  "Keep-Alive: canary",
  "Range: bytes=0-1",
];

test("authentik sees the headers of a fixed list and nothing else of the caller's", async () => {
  const lines = ["Authorization: Bearer token-of-alice", "X-Request-Id: join-me-1", ...HOSTILE];
  const { status } = await raw(at.gateway.url, postText(BODY, lines));
  expect(status).toBe(200);
  const [request] = at.authentik.requests;
  const seen = Object.fromEntries(
    (request?.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]),
  );
  expect(seen).toEqual({
    host: at.authentik.url.host,
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
  await raw(at.gateway.url, postText(BODY, lines).replace("Connection: close\r\n", ""), { waitMs: 500 });
  const names = at.authentik.requests[0]?.headers.map(([name]) => name.toLowerCase());
  expect(names).toContain("authorization");
});

test("a request id that is no harmless text is replaced, not passed on", async () => {
  for (const id of ["a b", "<script>", "x".repeat(129), "ü", '"', "a;b"]) {
    at.authentik.requests.length = 0;
    const bytes = postText(BODY, ["Authorization: Bearer a", `X-Request-Id: ${id}`]);
    expect((await raw(at.gateway.url, bytes)).text).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/im);
    const sent = at.authentik.requests[0]?.headers.find(([name]) => name === "X-Request-Id")?.[1];
    expect(sent).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test.each([
  "Authorization: token-without-scheme",
  "Authorization: Bearer a, Bearer b",
  "Authorization: Basic YTpi",
  "Authorization_: Bearer a",
  "Proxy-Authorization: Bearer a",
])("what is no credential never leaves the gateway: %s", async (line) => {
  const { text, status } = await raw(at.gateway.url, postText(BODY, [line]));
  expect([status, text]).toEqual([200, expect.stringContaining('"UNAUTHENTICATED"')]);
  expect(at.authentik.requests).toEqual([]);
});

test.each([
  "Authorization: Bearer \u0001",
  "Authorization: Bearer a\u0000b",
  "Authorization: Bearer a\rX-Injected: canary",
  "X: y\nX-Injected: canary",
])("control characters end the request, and begin no header of authentik's: %j", async (line) => {
  const { status } = await raw(at.gateway.url, postText(BODY, ["Authorization: Bearer a", line]));
  expect(status).toBe(400);
  expect(at.authentik.requests).toEqual([]);
});

test("keys that are none never leave the gateway", async () => {
  const keys = "../5 .. . 5/../6 %2e%2e 5?x=1 5# 5\\..\\6 //evil \\evil ٥".split(" ").concat("5\r\nX: y", "");
  const query =
    "query($r:[_Any!]!){_entities(representations:$r){...on Source{name}...on PlexSourceConnection{user}}}";
  const r = keys.flatMap((key) => [
    { __typename: "Source", pk: key },
    { __typename: "PlexSourceConnection", pk: key },
    { __typename: "PlexSourceConnection", id: key },
  ]);
  const { codes } = await at.gateway.post(query, { variables: { r } });
  expect(codes).toEqual(r.map(() => "BAD_USER_INPUT"));
  expect(at.authentik.requests).toEqual([]);
});
