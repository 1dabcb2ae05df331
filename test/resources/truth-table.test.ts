import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { type FakeAuthentik, sendJson, sendPage, startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

const BAD = "/api/v3/sources/user_connections/plex/66/";
const LEAK = "internal-host.example secret-of-authentik";

interface Row {
  authentik: string;
  answer: (response: ServerResponse) => void;
  /** Null: no error. */
  code: string | null;
  extensions?: Record<string, unknown>;
  /** Sent once more, as retries go. */
  retried?: boolean;
}

const detail =
  (status: number, text: string, headers?: Record<string, string>) => (response: ServerResponse) =>
    sendJson(response, status, { detail: text }, headers);

const ROWS: Row[] = [
  {
    authentik: "404 as the API says it",
    answer: detail(404, "No UserPlexSourceConnection matches the given query."),
    code: null,
  },
  {
    authentik: "404 page",
    answer: (response) => sendPage(response, 404, LEAK),
    code: "UPSTREAM_INVALID_RESPONSE",
  },
  {
    authentik: "404 JSON without detail",
    answer: (response) => sendJson(response, 404, { error: LEAK }),
    code: "UPSTREAM_INVALID_RESPONSE",
  },
  { authentik: "401", answer: detail(401, LEAK), code: "UNAUTHENTICATED" },
  {
    authentik: "403 missing credentials",
    answer: detail(403, "Authentication credentials were not provided."),
    code: "UNAUTHENTICATED",
  },
  { authentik: "403 invalid token", answer: detail(403, "Token invalid/expired"), code: "UNAUTHENTICATED" },
  { authentik: "403 malformed header", answer: detail(403, "Malformed header"), code: "UNAUTHENTICATED" },
  {
    authentik: "403 unsupported scheme",
    answer: detail(403, "Unsupported authentication type"),
    code: "UNAUTHENTICATED",
  },
  {
    authentik: "403 no permission",
    answer: detail(403, `You do not have permission ${LEAK}`),
    code: "FORBIDDEN",
  },
  {
    authentik: "400 with field errors",
    answer: (response) =>
      sendJson(response, 400, {
        identifier: ["This field is required."],
        non_field_errors: ["x"],
        code: "y",
        nested: { a: ["b"] },
      }),
    code: "BAD_USER_INPUT",
    extensions: {
      fieldErrors: {
        identifier: ["This field is required."],
        non_field_errors: ["x"],
        code: "y",
        nested: { a: ["b"] },
      },
    },
  },
  {
    authentik: "429",
    answer: detail(429, LEAK, { "Retry-After": "7" }),
    code: "RATE_LIMITED",
    extensions: { retryAfterSeconds: 7 },
  },
  {
    authentik: "502",
    answer: (response) => sendPage(response, 502, LEAK),
    code: "UPSTREAM_UNAVAILABLE",
    retried: true,
  },
  {
    authentik: "503",
    answer: detail(503, LEAK, { "Retry-After": "5" }),
    code: "UPSTREAM_UNAVAILABLE",
    extensions: { retryAfterSeconds: 5 },
    retried: true,
  },
  {
    authentik: "504",
    answer: (response) => sendPage(response, 504, LEAK),
    code: "UPSTREAM_UNAVAILABLE",
    retried: true,
  },
  {
    authentik: "200 while starting",
    answer: (response) => sendJson(response, 200, { error: "authentik starting" }, { "Retry-After": "5" }),
    code: "UPSTREAM_UNAVAILABLE",
    extensions: { retryAfterSeconds: 5 },
    retried: true,
  },
  {
    authentik: "a reset",
    answer: (response) => response.socket?.resetAndDestroy(),
    code: "UPSTREAM_UNAVAILABLE",
    retried: true,
  },
  { authentik: "500 page", answer: (response) => sendPage(response, 500, LEAK), code: "UPSTREAM_ERROR" },
  { authentik: "507", answer: detail(507, LEAK), code: "UPSTREAM_ERROR" },
  { authentik: "405", answer: detail(405, LEAK), code: "UPSTREAM_REJECTED" },
  { authentik: "418", answer: detail(418, LEAK), code: "UPSTREAM_REJECTED" },
  {
    authentik: "302 to a login page",
    answer: (response) => response.writeHead(302, { Location: `https://${LEAK.split(" ")[0]}/login` }).end(),
    code: "UPSTREAM_REDIRECTED",
  },
  {
    authentik: "200 page",
    answer: (response) => sendPage(response, 200, LEAK),
    code: "UPSTREAM_INVALID_RESPONSE",
  },
  {
    authentik: "200 broken JSON",
    answer: (response) => response.writeHead(200, { "Content-Type": "application/json" }).end('{"pk":66,'),
    code: "UPSTREAM_INVALID_RESPONSE",
  },
  ...[[], null, { hello: 1 }, 5, "text", { pk: 66 }, { pk: "66", user: 1 }].map((body): Row => ({
    authentik: `200 ${JSON.stringify(body)}`,
    answer: (response) => sendJson(response, 200, body),
    code: "UPSTREAM_INVALID_RESPONSE",
  })),
  {
    authentik: "204",
    answer: (response) => response.writeHead(204).end(),
    code: "UPSTREAM_INVALID_RESPONSE",
  },
  {
    authentik: "more than the limit",
    answer: (response) => sendJson(response, 200, { pk: 66, filler: "x".repeat(100_000) }),
    code: "UPSTREAM_INVALID_RESPONSE",
  },
];

let open: { authentik: FakeAuthentik; gateway: TestGateway } | null = null;

afterEach(async () => {
  await open?.gateway.close();
  await open?.authentik.close();
  open = null;
});

async function start(row: Row) {
  const authentik = await startFakeAuthentik();
  authentik.answer((request, response, fallback) => {
    if (request.path === BAD) row.answer(response);
    // Lists would answer for 66 too; here each key speaks for itself.
    else if (request.path.includes("?")) sendPage(response, 404, "no lists here");
    else fallback();
  });
  const gateway = await startGateway({
    authentikUrl: authentik.url,
    authentik: { maxResponseBytes: 50_000 },
  });
  open = { authentik, gateway };
  return open;
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
    const { authentik, gateway } = await start(row);
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
    const { authentik, gateway } = await start(row);
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
    const { authentik, gateway } = await start(ROWS[0]!);
    const reply = await gateway.post("{ plexConnection(id: 5) { pk } __typename }", { authorization });
    expect(reply.data).toEqual({ plexConnection: null, __typename: "Query" });
    expect(reply.errors?.map(({ extensions }) => extensions.code)).toEqual(["UNAUTHENTICATED"]);
    expect(authentik.paths()).toEqual([]);
  });
});

test("nothing listens: UPSTREAM_UNAVAILABLE", async () => {
  const { authentik, gateway } = await start(ROWS[0]!);
  await authentik.close();
  const reply = await gateway.post("{ plexConnection(id: 5) { pk } }");
  expect(reply.errors?.map(({ extensions }) => extensions.code)).toEqual(["UPSTREAM_UNAVAILABLE"]);
});

test("no answer in time: UPSTREAM_TIMEOUT, siblings answered", async () => {
  const authentik = await startFakeAuthentik();
  authentik.answer((request, response, fallback) => {
    if (request.path.includes("?")) sendPage(response, 404, "no lists here");
    else if (request.path !== BAD) fallback();
  });
  const gateway = await startGateway({ authentikUrl: authentik.url, gateway: { operationTimeoutMs: 300 } });
  open = { authentik, gateway };
  const reply = await gateway.post(
    "{ good: plexConnection(id: 5) { pk } bad: plexConnection(id: 66) { pk } }",
  );
  expect(reply.data).toEqual({ good: { pk: 5 }, bad: null });
  expect(reply.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
    [["bad"], "UPSTREAM_TIMEOUT"],
  ]);
});
