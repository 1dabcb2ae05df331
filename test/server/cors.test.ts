import { beforeAll, describe, expect, test } from "vitest";
import { startGateway, useGateway } from "../support/gateway.ts";
import { raw } from "../support/raw-client.ts";

const LISTED = "https://app.example.org";
const CORS_ORIGINS = [LISTED, "https://other.example.org"];

const at = useGateway(beforeAll, {}, { gateway: { corsOrigins: CORS_ORIGINS, allowedHosts: ["127.0.0.1"] } });

const JSON_TYPE = { "content-type": "application/json" };
const QUERY = '{"query":"{__typename}"}';

interface Refused {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

async function ask(url: URL, { path = "/graphql", headers, ...init }: Refused, origin: string) {
  const response = await fetch(new URL(path, url), { ...init, headers: { origin, ...headers } });
  await response.text();
  return response;
}

function corsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));
}

const READABLE = {
  "access-control-allow-origin": LISTED,
  "access-control-expose-headers": "X-Request-Id, Retry-After",
};

const post = { method: "POST", headers: JSON_TYPE };
const ANSWERS: [number, string, Refused][] = [
  [200, "an answer", { ...post, body: QUERY }],
  [400, "a body that is no JSON", { ...post, body: "{" }],
  [404, "a path where nothing is", { path: "/graphq", ...post, body: QUERY }],
  [405, "a method that is not taken", { method: "DELETE" }],
  [406, "a media type that is not written", { ...post, headers: { ...JSON_TYPE, accept: "text/turtle" } }],
  [413, "a body that is too long", { ...post, body: `{"query":"${"x".repeat(1_100_000)}"}` }],
  [415, "a body that is no JSON by type", { method: "POST", headers: {}, body: QUERY }],
];

describe("a page of a listed origin reads every answer and every refusal", () => {
  test.each(ANSWERS)("%i: %s", async (status, _name, request) => {
    const response = await ask(at.gateway.url, request, LISTED);
    expect(response.status).toBe(status);
    expect(corsOf(response)).toEqual(READABLE);
    expect(response.headers.get("vary")).toMatch(/\bOrigin\b/);
  });

  test.each([
    [421, "another host name", "Host: evil.example"],
    [401, "two credentials", `Authorization: a\r\nAuthorization: b`],
    [431, "too many header lines", Array.from({ length: 100 }, (_, index) => `X-${index}: y`).join("\r\n")],
  ])("%i: %s", async (status, _name, lines) => {
    const host = lines.startsWith("Host:") ? "" : "Host: 127.0.0.1\r\n";
    const head = `GET /graphql?query={__typename} HTTP/1.1\r\n${host}Origin: ${LISTED}\r\n${lines}`;
    const answer = await raw(at.gateway.url, `${head}\r\nConnection: close\r\n\r\n`);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(`\r\nAccess-Control-Allow-Origin: ${LISTED}\r\n`);
  });
});

function preflight(origin: string, asks: Record<string, string> = {}, path = "/graphql") {
  const headers = { "access-control-request-method": "POST", ...asks };
  return ask(at.gateway.url, { path, method: "OPTIONS", headers }, origin);
}

describe("a preflight", () => {
  test("of a listed origin is granted every header name that it asks for", async () => {
    const names = "apollographql-client-name,authorization,traceparent,x-apollo-operation-name";
    const response = await preflight(LISTED, { "access-control-request-headers": names });
    expect(response.status).toBe(204);
    expect(corsOf(response)).toEqual({
      ...READABLE,
      "access-control-allow-headers": names,
      "access-control-allow-methods": "GET, POST",
      "access-control-max-age": "600",
    });
  });

  test("is granted on other paths too, so that the page can read their 404", async () => {
    const response = await preflight(LISTED, {}, "/graphq");
    expect([response.status, corsOf(response)]).toMatchObject([204, READABLE]);
  });

  test.each(["a, <b>", "a b", `a${",b".repeat(2_000)}`])(
    "is granted none of what is no list of names: %.20s",
    async (names) => {
      const response = await preflight(LISTED, { "access-control-request-headers": names });
      expect(response.status).toBe(204);
      expect(response.headers.has("access-control-allow-headers")).toBe(false);
    },
  );

  test.each(["null", "https://evil.example", "https://app.example.org.evil.example", ""])(
    "of an origin that is not listed is granted nothing: %j",
    async (origin) => {
      const response = await preflight(origin, { "access-control-request-headers": "authorization" });
      expect([response.status, corsOf(response)]).toEqual([204, {}]);
      expect(response.headers.get("vary")).toMatch(/\bOrigin\b/);
    },
  );
});

test.each(["null", "https://evil.example", `${LISTED}/`, LISTED.toUpperCase()])(
  "whose origin is not listed reads nothing: %s",
  async (origin) => {
    const response = await ask(at.gateway.url, { ...post, body: QUERY }, origin);
    expect([response.status, corsOf(response)]).toEqual([200, {}]);
  },
);

test("with * everyone reads answers, and nobody is let send credentials of the browser", async () => {
  const open = await startGateway({ authentikUrl: at.authentik.url, gateway: { corsOrigins: ["*"] } });
  for (const origin of ["null", "https://anyone.example"]) {
    const response = await ask(open.url, { ...post, body: QUERY }, origin);
    expect(corsOf(response)).toEqual({ ...READABLE, "access-control-allow-origin": "*" });
  }
  await open.close();
});
