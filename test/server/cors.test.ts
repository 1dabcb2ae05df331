import { beforeAll, expect, test } from "vitest";
import { startGateway, useGateway } from "../support/gateway.ts";

/*
 * Who is let in; that a listed page then reads answers and refusals, and no other does, is in browser/cors.test.ts.
 */

const LISTED = "https://app.example.org";
const CORS_ORIGINS = [LISTED, "https://other.example.org"];
const at = useGateway(beforeAll, {}, { gateway: { corsOrigins: CORS_ORIGINS } });

type Asked = Omit<RequestInit, "headers"> & { headers: Record<string, string> };

/** What a request of this origin is told about other origins. */
async function ask(origin: string, init: Asked, url = at.gateway.url) {
  const { headers } = await fetch(new URL("/graphql", url), {
    ...init,
    headers: { ...init.headers, origin },
  });
  return Object.fromEntries([...headers].filter(([name]) => /^(access-control-|vary)/.test(name)));
}

const vary: unknown = expect.stringMatching(/\bOrigin\b/);
const READABLE = {
  "access-control-allow-origin": LISTED,
  "access-control-expose-headers": "X-Request-Id, Retry-After",
};
const POST = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"query":"{__typename}"}',
};
const preflight = (names: string) => ({
  method: "OPTIONS",
  headers: { "access-control-request-method": "POST", "access-control-request-headers": names },
});

test.each([
  ["every header name that it asks for", "apollographql-client-name,traceparent", true],
  ["none of what is no list of names", "a, <b>", false],
  ["none of a list that is too long", `a${",b".repeat(2_000)}`, false],
])("a listed origin is granted %s", async (_what, names, isGranted) => {
  expect(await ask(LISTED, preflight(names))).toEqual({
    ...READABLE,
    vary,
    "access-control-allow-methods": "GET, POST",
    "access-control-max-age": "600",
    ...(isGranted && { "access-control-allow-headers": names }),
  });
});

test("an answer without content has no length either", async () => {
  const { headers } = await fetch(new URL("/graphql", at.gateway.url), { method: "OPTIONS" });
  expect([headers.get("content-length"), headers.get("content-type")]).toEqual([null, null]);
});

test.each(["null", "https://app.example.org.evil.example", `${LISTED}/`, LISTED.toUpperCase()])(
  "an origin that is not listed is granted nothing: %j",
  async (origin) => {
    expect(await ask(origin, preflight("authorization"))).toEqual({ vary });
    expect(await ask(origin, POST)).toEqual({ vary });
  },
);

test("with * everyone reads answers, and nobody is let send credentials of the browser", async () => {
  const open = await startGateway({ authentikUrl: at.authentik.url, gateway: { corsOrigins: ["*"] } });
  for (const origin of ["null", "https://anyone.example"])
    expect(await ask(origin, POST, open.url)).toEqual({
      ...READABLE,
      "access-control-allow-origin": "*",
      vary: "Authorization",
    });
  await open.close();
});
