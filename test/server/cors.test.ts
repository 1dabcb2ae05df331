import { beforeAll, describe, expect, test } from "vitest";
import { startGateway, useGateway } from "../support/gateway.ts";

/*
 * What browsers are told; what pages then read, of answers and refusals, is in browser/cors.test.ts.
 */

const LISTED = "https://app.example.org";
const CORS_ORIGINS = [LISTED, "https://other.example.org"];

const at = useGateway(beforeAll, {}, { gateway: { corsOrigins: CORS_ORIGINS } });

type Asked = Omit<RequestInit, "headers"> & { headers: Record<string, string> };

/** What a request of this origin is told about other origins. */
async function ask(origin: string, init: Asked, url = new URL("/graphql", at.gateway.url)) {
  const { status, headers } = await fetch(url, { ...init, headers: { ...init.headers, origin } });
  const cors = Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));
  return { status, cors, vary: headers.get("vary") };
}

const READABLE = {
  "access-control-allow-origin": LISTED,
  "access-control-expose-headers": "X-Request-Id, Retry-After",
};
const POST = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"query":"{__typename}"}',
};
const ALLOW_HEADERS = "access-control-allow-headers";
const preflight = (names: string) => ({
  method: "OPTIONS",
  headers: { "access-control-request-method": "POST", "access-control-request-headers": names },
});

const vary: unknown = expect.stringMatching(/\bOrigin\b/);

describe("a listed origin", () => {
  test("reads the answer", async () => {
    expect(await ask(LISTED, POST)).toEqual({ status: 200, cors: READABLE, vary });
  });

  // On other paths too, so that the page can read their 404.
  test.each(["/graphql", "/graphq"])("is granted every header name that it asks for, at %s", async (path) => {
    const names = "apollographql-client-name,authorization,traceparent,x-apollo-operation-name";
    const cors = {
      ...READABLE,
      [ALLOW_HEADERS]: names,
      "access-control-allow-methods": "GET, POST",
      "access-control-max-age": "600",
    };
    const url = new URL(path, at.gateway.url);
    expect(await ask(LISTED, preflight(names), url)).toEqual({ status: 204, cors, vary });
  });

  test.each(["a, <b>", "a b", `a${",b".repeat(2_000)}`])(
    "is granted none of what is no list of names: %.20s",
    async (names) => {
      const { status, cors } = await ask(LISTED, preflight(names));
      expect(status).toBe(204);
      expect(Object.keys(cors)).not.toContain(ALLOW_HEADERS);
    },
  );
});

test.each([
  "null",
  "https://evil.example",
  "https://app.example.org.evil.example",
  "",
  `${LISTED}/`,
  LISTED.toUpperCase(),
])("an origin that is not listed is granted nothing and reads nothing: %j", async (origin) => {
  expect(await ask(origin, preflight("authorization"))).toEqual({ status: 204, cors: {}, vary });
  expect(await ask(origin, POST)).toEqual({ status: 200, cors: {}, vary });
});

test("an answer without content has no length either", async () => {
  const { headers } = await fetch(new URL("/graphql", at.gateway.url), { method: "OPTIONS" });
  expect([headers.get("content-length"), headers.get("content-type")]).toEqual([null, null]);
});

test("with * everyone reads answers, and nobody is let send credentials of the browser", async () => {
  const open = await startGateway({ authentikUrl: at.authentik.url, gateway: { corsOrigins: ["*"] } });
  for (const origin of ["null", "https://anyone.example"]) {
    const { cors } = await ask(origin, POST, new URL("/graphql", open.url));
    expect(cors).toEqual({ ...READABLE, "access-control-allow-origin": "*" });
  }
  await open.close();
});
