import { describe, expect, onTestFinished, test } from "vitest";
import type { GatewayOptions } from "../../src/server/gateway.ts";
import { json, page, type Sending, sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

const BAD = "/api/v3/sources/user_connections/plex/66/";
const LEAK = "internal-host.example secret-of-authentik";

interface Row {
  authentik: string;
  answer: Sending;
  /** Null: no error. */
  code: string | null;
  extensions?: Record<string, unknown>;
  /** Sent once more, as retries go. */
  retried?: boolean;
}

function row(authentik: string, code: Row["code"], answer: Sending, more: Partial<Row> = {}): Row {
  return { authentik, answer, code, ...more };
}

const detail = (status: number, text = LEAK, headers?: Record<string, string>): Sending =>
  json(status, { detail: text }, headers);

const retried = true;
const inFive = { extensions: { retryAfterSeconds: 5 }, retried };
const fieldErrors = {
  identifier: ["This field is required."],
  non_field_errors: ["x"],
  code: "y",
  nested: { a: ["b"] },
};

const ROWS: Row[] = [
  row("404 as the API says it", null, detail(404, "No UserPlexSourceConnection matches the given query.")),
  row("404 page", "UPSTREAM_INVALID_RESPONSE", page(404, LEAK)),
  row("404 JSON without detail", "UPSTREAM_INVALID_RESPONSE", json(404, { error: LEAK })),
  row("401", "UNAUTHENTICATED", detail(401)),
  ...[
    "Authentication credentials were not provided.",
    "Token invalid/expired",
    "Malformed header",
    "Unsupported authentication type",
  ].map((text) => row(`403 ${text}`, "UNAUTHENTICATED", detail(403, text))),
  row("403 no permission", "FORBIDDEN", detail(403, `You do not have permission ${LEAK}`)),
  row("400 with field errors", "BAD_USER_INPUT", json(400, fieldErrors), { extensions: { fieldErrors } }),
  row("429", "RATE_LIMITED", detail(429, LEAK, { "Retry-After": "7" }), {
    extensions: { retryAfterSeconds: 7 },
  }),
  row("502", "UPSTREAM_UNAVAILABLE", page(502, LEAK), { retried }),
  row("503", "UPSTREAM_UNAVAILABLE", detail(503, LEAK, { "Retry-After": "5" }), inFive),
  row("504", "UPSTREAM_UNAVAILABLE", page(504, LEAK), { retried }),
  row(
    "200 while starting",
    "UPSTREAM_UNAVAILABLE",
    json(200, { error: "authentik starting" }, { "Retry-After": "5" }),
    inFive,
  ),
  row("a reset", "UPSTREAM_UNAVAILABLE", (response) => response.socket?.resetAndDestroy(), { retried }),
  row("500 page", "UPSTREAM_ERROR", page(500, LEAK)),
  row("507", "UPSTREAM_ERROR", detail(507)),
  row("405", "UPSTREAM_REJECTED", detail(405)),
  row("418", "UPSTREAM_REJECTED", detail(418)),
  row("302 to a login page", "UPSTREAM_REDIRECTED", (response) =>
    response.writeHead(302, { Location: `https://${LEAK.split(" ")[0]}/login` }).end(),
  ),
  row("200 page", "UPSTREAM_INVALID_RESPONSE", page(200, LEAK)),
  row("200 broken JSON", "UPSTREAM_INVALID_RESPONSE", (response) =>
    response.writeHead(200, { "Content-Type": "application/json" }).end('{"pk":66,'),
  ),
  ...[[], null, { hello: 1 }, 5, "text", { pk: 66 }, { pk: "66", user: 1 }].map((body) =>
    row(`200 ${JSON.stringify(body)}`, "UPSTREAM_INVALID_RESPONSE", json(200, body)),
  ),
  row("204", "UPSTREAM_INVALID_RESPONSE", (response) => response.writeHead(204).end()),
  row("more than the limit", "UPSTREAM_INVALID_RESPONSE", json(200, { pk: 66, filler: "x".repeat(100_000) })),
];

/** No answer at all. */
const silence: Sending = () => {};

async function start(answer: Sending, gatewayOptions: Partial<GatewayOptions> = {}) {
  const authentik = await startFakeAuthentik({
    answer(request, response, fallback) {
      if (request.path === BAD) answer(response);
      // Lists would answer for 66 too; here each key speaks for itself.
      else if (request.path.includes("?")) sendPage(response, 404, "no lists here");
      else fallback();
    },
  });
  const gateway = await startGateway({
    authentikUrl: authentik.url,
    authentik: { maxResponseBytes: 50_000 },
    gateway: gatewayOptions,
  });
  onTestFinished(async () => {
    await gateway.close();
    await authentik.close();
  });
  return { authentik, gateway };
}

function expectError(reply: Awaited<ReturnType<TestGateway["post"]>>, row: Row, path: string) {
  expect(reply.status).toBe(200);
  expect(reply.text).not.toContain("internal-host");
  expect(reply.text).not.toContain("secret-of");
  const expected = {
    path: [path],
    extensions: { code: row.code, requestId: reply.headers.get("x-request-id"), ...row.extensions },
  };
  const seen = reply.errors?.map(({ path, extensions }) => ({ path, extensions }));
  expect(seen).toEqual(row.code === null ? undefined : [expected]);
}

describe.each(ROWS)("authentik answers $authentik", (row) => {
  test("at the root field", async () => {
    const { authentik, gateway } = await start(row.answer);
    const reply = await gateway.post("{ plexConnection(id: 66) { pk } }");
    expect(reply.data).toEqual({ plexConnection: null });
    expectError(reply, row, "plexConnection");
    expect(authentik.paths()).toEqual(row.retried ? [BAD, BAD] : [BAD]);
    expect(gateway.records).toHaveLength(1);
    expect(gateway.records[0]?.codes).toEqual(row.code === null ? [] : [row.code]);
    expect(gateway.records[0]?.requestId).toBe(reply.headers.get("x-request-id"));
    expect(gateway.records[0]?.problems).toHaveLength(row.code === null ? 0 : 1);
  });

  test("at one alias among good siblings, inside fragments", async () => {
    const { authentik, gateway } = await start(row.answer);
    const reply = await gateway.post(`
      query { first: plexConnection(id: 5) { ...c } ...rest }
      fragment rest on Query { bad: plexConnection(id: 66) { ...c } ... { last: plexConnection(id: 7) { ...c } } }
      fragment c on PlexSourceConnection { pk source { slug } }
    `);
    expect(reply.data).toEqual({
      first: { pk: 5, source: { slug: "plex" } },
      bad: null,
      last: { pk: 7, source: { slug: "plex" } },
    });
    expectError(reply, row, "bad");
    const retrieves = authentik.paths().filter((path) => !path.includes("?"));
    expect(new Set(retrieves).size).toBe(3);
    expect(retrieves).toHaveLength(row.retried ? 4 : 3);
  });
});

describe("no credentials that authentik could judge", () => {
  test.each([
    null,
    "Bearer",
    "Bearer ",
    "token-alone",
    "Bearer two words",
    "Bearer  two-spaces",
    "Bearer t\u00f6ken",
  ])("%j is UNAUTHENTICATED and costs no call", async (authorization) => {
    const { authentik, gateway } = await start(silence);
    const reply = await gateway.post("{ plexConnection(id: 5) { pk } __typename }", { authorization });
    expect(reply.data).toEqual({ plexConnection: null, __typename: "Query" });
    expect(reply.errors?.map(({ extensions }) => extensions.code)).toEqual(["UNAUTHENTICATED"]);
    expect(authentik.paths()).toEqual([]);
  });
});

test("nothing listens: UPSTREAM_UNAVAILABLE", async () => {
  const { authentik, gateway } = await start(silence);
  await authentik.close();
  const reply = await gateway.post("{ plexConnection(id: 5) { pk } }");
  expect(reply.errors?.map(({ extensions }) => extensions.code)).toEqual(["UPSTREAM_UNAVAILABLE"]);
});

test("no answer in time: UPSTREAM_TIMEOUT, siblings answered", async () => {
  const { gateway } = await start(silence, { operationTimeoutMs: 300 });
  const reply = await gateway.post(
    "{ good: plexConnection(id: 5) { pk } bad: plexConnection(id: 66) { pk } }",
  );
  expect(reply.data).toEqual({ good: { pk: 5 }, bad: null });
  expect(reply.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
    [["bad"], "UPSTREAM_TIMEOUT"],
  ]);
});
