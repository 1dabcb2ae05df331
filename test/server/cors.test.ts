import { beforeAll, expect, test } from "vitest";
import { startGateway, useGateway } from "../support/gateway.ts";

// Who is let in; that a listed page then reads answers and refusals, and no other does, is in browser/cors.test.ts.

const LISTED = "https://app.example.org";
const corsOrigins = [LISTED, "https://other.example.org"];
const at = useGateway(beforeAll, {}, { gateway: { corsOrigins } });

/** What the preflight of this origin is told about other origins. */
async function preflight(origin: string, names = "authorization", url = at.gateway.url) {
  const asking = { "access-control-request-method": "POST", "access-control-request-headers": names };
  const { headers } = await fetch(new URL("/graphql", url), {
    method: "OPTIONS",
    headers: { ...asking, origin },
  });
  return Object.fromEntries([...headers].filter(([name]) => /^(access-control-|vary)/.test(name)));
}

const vary: unknown = expect.stringMatching(/\bOrigin\b/);
const GRANTED = {
  vary,
  "access-control-allow-origin": LISTED,
  "access-control-expose-headers": "X-Request-Id, Retry-After",
  "access-control-allow-methods": "GET, POST",
  "access-control-max-age": "600",
};

test("a listed origin is granted every header name that it asks for, and none of what is no list of names", async () => {
  const names = "apollographql-client-name,traceparent";
  expect(await preflight(LISTED, names)).toEqual({ ...GRANTED, "access-control-allow-headers": names });
  expect(await preflight(LISTED, "a, <b>")).toEqual(GRANTED);
  expect(await preflight(LISTED, `a${",b".repeat(2_000)}`)).toEqual(GRANTED);
});

test.each(["null", "https://app.example.org.evil.example", `${LISTED}/`, LISTED.toUpperCase()])(
  "an origin that is not listed is granted nothing: %j",
  async (origin) => expect(await preflight(origin)).toEqual({ vary }),
);

test("with * everyone is granted it, and nobody is let send credentials of the browser", async () => {
  const open = await startGateway({ authentikUrl: at.authentik.url, gateway: { corsOrigins: ["*"] } });
  const granted = {
    ...GRANTED,
    vary: expect.any(String),
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "a",
  };
  expect(await preflight("null", "a", open.url)).toEqual(granted);
  await open.close();
});
