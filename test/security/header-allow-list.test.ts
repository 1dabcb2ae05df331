import { beforeEach, expect, test } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { postText, raw } from "../support/raw-client.ts";

const at = useGateway(beforeEach);

const BODY = '{"query":"{plexConnection(id:5){pk user}}"}';
const NAMES =
  "Cookie Accept-Language User-Agent X-Forwarded-For X-Forwarded-Host X-authentik-username Remote_User Authorization_ " +
  "Proxy-Authorization X-authentik-CSRF X-HTTP-Method-Override Accept Accept-Encoding TE Keep-Alive Range";

test("authentik sees the headers of a fixed list and nothing else of the caller's", async () => {
  const lines = ["Authorization: Bearer token-of-alice", "X-Request-Id: join-me-1"];
  lines.push(...NAMES.split(" ").map((name) => `${name}: application/json, canary`));
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

test("a request id that is no harmless text is replaced, not passed on", async () => {
  for (const id of ["a b", "<script>", "x".repeat(129)]) {
    at.authentik.requests.length = 0;
    const bytes = postText(BODY, ["Authorization: Bearer a", `X-Request-Id: ${id}`]);
    expect((await raw(at.gateway.url, bytes)).text).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/im);
    const sent = at.authentik.requests[0]?.headers.find(([name]) => name === "X-Request-Id")?.[1];
    expect(sent).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test.each([
  [200, "Authorization: Basic YTpi"],
  [200, "Proxy-Authorization: Bearer a"],
  [400, "Authorization: Bearer a\rX-Injected: canary"],
])("what is no credential never leaves the gateway: %i for %j", async (status, line) => {
  expect((await raw(at.gateway.url, postText(BODY, [line]))).status).toBe(status);
  expect(at.authentik.requests).toEqual([]);
});
