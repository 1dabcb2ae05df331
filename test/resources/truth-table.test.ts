import { expect, test } from "vitest";
import { json, page, type Sending, sendPage } from "../support/fake-authentik.ts";
import { gatewayForTest } from "../support/gateway.ts";
import { connectionBody } from "../support/wire-bodies.ts";

const CONNECTIONS = "/api/v3/sources/user_connections/plex/";
const BAD = `${CONNECTIONS}66/`;
const ROUTE = "/sources/user_connections/plex/{id}/";
const HOUR_AGO = new Date(Date.now() - 3_600_000).toUTCString();
const HOUR_AGO_IN_ASCTIME = HOUR_AGO.replace(/(\w+), (\d+) (\w+) (\d+) (\S+) GMT/, "$1 $3 $2 $5 $4");
const LEAK = "internal-host.example secret-of-authentik";

interface Row {
  authentik: string;
  answer: Sending;
  /** Null: no error. */
  code: string | null;
  extensions?: Record<string, unknown>;
  /** What the log calls it, where the code does not say. */
  problem?: string;
  /** What the log says besides: of a refusal, where it came from. */
  told: object;
  /** Sent once more, as retries go. */
  retried?: boolean;
  /** The connection that is there, if any. */
  found?: object;
}

function row(authentik: string, code: Row["code"], answer: Sending, more: Partial<Row> = {}): Row {
  return { authentik, answer, code, told: { status: Number(authentik.slice(0, 3)), route: ROUTE }, ...more };
}

const detail = (status: number, text = LEAK, headers?: Record<string, string>): Sending =>
  json(status, { detail: text }, headers);

/** Bytes of this type. */
const text =
  (status: number, body = "", type?: string): Sending =>
  (response) =>
    response.writeHead(status, type === undefined ? {} : { "Content-Type": type }).end(body);

const JSON_TYPE = "application/json";
const INVALID = "UPSTREAM_INVALID_RESPONSE";
const RETRIED = { problem: "unreachable", retried: true };
const STARTING = { problem: "starting", retried: true };
const WITHOUT_STATUS = { told: { route: ROUTE } };
const NOTHING_TOLD = { told: {} };
const GO_ROUTER = '{"error":"failed to connect to authentik backend: authentik starting"}';
const inFive = { extensions: { retryAfterSeconds: 5 } };
const deep = { a: { b: { c: { d: { e: { f: { g: ["deep"] } } } } } } };

const ROWS: Row[] = [
  ...[JSON_TYPE, "Application/JSON; charset=utf-8"].map((type) =>
    row(`200 with ${type}`, null, text(200, JSON.stringify(connectionBody(66)), type), {
      found: { pk: 66, source: { slug: "plex" } },
    }),
  ),
  row("404 as the API says it", null, detail(404, "No UserPlexSourceConnection matches the given query.")),
  row("401", "UNAUTHENTICATED", detail(401)),
  ...[
    "Authentication credentials were not provided.",
    "Token invalid/expired",
    "Malformed header",
    "Unsupported authentication type",
  ].map((text) => row(`403 ${text}`, "UNAUTHENTICATED", detail(403, text))),
  row("403 no permission", "FORBIDDEN", detail(403, `You do not have permission ${LEAK}`)),
  row("403 without a word", INVALID, text(403)),
  ...[
    { identifier: ["This field is required."], non_field_errors: ["a", "b"], code: "c" },
    { nested: { user: ['Invalid pk "9"'] } },
    ["x", { user: ["a"] }],
  ].map((fieldErrors) =>
    row(`400 ${JSON.stringify(fieldErrors)}`, "BAD_USER_INPUT", json(400, fieldErrors), {
      extensions: { fieldErrors },
    }),
  ),
  row("400 of many long texts", "BAD_USER_INPUT", json(400, { a: Array(60).fill("x".repeat(600)) }), {
    extensions: { fieldErrors: { a: Array(50).fill(`${"x".repeat(500)}…`) } },
  }),
  // What is no sentence about a field may be anything.
  ...[
    null,
    LEAK,
    "HTTP request to an HTTPS server",
    [],
    { plex_token: LEAK },
    { pk: 5, user: null },
    deep,
  ].map((body) => row(`400 ${JSON.stringify(body)}`, "BAD_USER_INPUT", json(400, body))),
  ...(
    [
      ["7", 7],
      ["0", 1],
      ["99999999", 3_600],
      ["-1"],
      ["soon"],
      ["Fri, 31 Dec 1999 23:59:59 GMT", 1],
      ["Fri, 31 Dec 2999 23:59:59 GMT", 3_600],
      [HOUR_AGO_IN_ASCTIME, 1],
    ] as [after: string, retryAfterSeconds?: number][]
  ).map(([after, retryAfterSeconds]) =>
    row(`429 with Retry-After ${after}`, "RATE_LIMITED", detail(429, LEAK, { "Retry-After": after }), {
      extensions: retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
    }),
  ),
  row("502", "UPSTREAM_UNAVAILABLE", page(502, LEAK), RETRIED),
  row("502 while starting", "UPSTREAM_UNAVAILABLE", text(502, GO_ROUTER, "text/plain"), STARTING),
  row("503", "UPSTREAM_UNAVAILABLE", detail(503, LEAK, { "Retry-After": "5" }), { ...RETRIED, ...inFive }),
  ...[200, 503].map((status) =>
    row(
      `${status} while starting`,
      "UPSTREAM_UNAVAILABLE",
      json(status, { error: "authentik starting" }, { "Retry-After": "5" }),
      { ...STARTING, ...inFive },
    ),
  ),
  row("200 with another error of a router", "UPSTREAM_UNAVAILABLE", json(200, { error: LEAK }), RETRIED),
  ...[504, 408, 520, 530].map((status) =>
    row(`${status} of a proxy`, "UPSTREAM_UNAVAILABLE", page(status, LEAK), RETRIED),
  ),
  row("a reset", "UPSTREAM_UNAVAILABLE", (response) => response.socket?.resetAndDestroy(), {
    ...RETRIED,
    ...WITHOUT_STATUS,
  }),
  row("nothing in time", "UPSTREAM_TIMEOUT", () => {}, NOTHING_TOLD),
  row("500 page", "UPSTREAM_ERROR", page(500, LEAK)),
  row("501", "UPSTREAM_ERROR", text(501)),
  ...[405, 418].map((status) => row(String(status), "UPSTREAM_REJECTED", detail(status))),
  row("302 to a login page", "UPSTREAM_REDIRECTED", (response) =>
    response.writeHead(302, { Location: `https://${LEAK.split(" ")[0]}/login` }).end(),
  ),
  ...[301, 304].map((status) => row(String(status), "UPSTREAM_REDIRECTED", text(status))),
  ...[200, 400, 403, 404].map((status) => row(`${status} page`, INVALID, page(status, LEAK))),
  ...[401, 404].map((status) => row(`${status} as other JSON`, INVALID, json(status, { error: LEAK }))),
  row("200 broken JSON", INVALID, text(200, '{"pk":66,', JSON_TYPE)),
  row("200 of a type that is not JSON's", INVALID, text(200, "{}", `application/jsonp; a="${LEAK}"`)),
  row("200 without a word", INVALID, text(200, "", JSON_TYPE)),
  ...[[], null, { hello: 1 }, { pk: 66 }, { pk: "66", user: 1 }].map((body) =>
    row(`200 ${JSON.stringify(body)}`, INVALID, json(200, body), NOTHING_TOLD),
  ),
  row("200 with another connection", INVALID, json(200, connectionBody(67)), NOTHING_TOLD),
  row("204", INVALID, text(204)),
  row("more than the limit", INVALID, json(200, { pk: 66, filler: "x".repeat(100_000) }), WITHOUT_STATUS),
];

const QUESTIONS: [path: string, query: string, siblings: Record<string, number>][] = [
  ["plexConnection", "{ plexConnection(id: 66) { pk source { slug } } }", {}],
  [
    "bad",
    `query { first: plexConnection(id: 5) { ...c } ...rest }
    fragment rest on Query { bad: plexConnection(id: 66) { ...c } ... { last: plexConnection(id: 7) { ...c } } }
    fragment c on PlexSourceConnection { pk source { slug } }`,
    { first: 5, last: 7 },
  ],
];

test.each(ROWS)("$authentik is $code, at the root and among good siblings inside fragments", async (row) => {
  // Any other code was there in time.
  const limits = row.code === "UPSTREAM_TIMEOUT" ? { operationTimeoutMs: 600 } : {};
  const { authentik, gateway } = await gatewayForTest(
    { authentik: { maxResponseBytes: 50_000 }, gateway: limits },
    {
      answer(request, response, fallback) {
        if (request.path === BAD) row.answer(response);
        // Lists would answer for 66 too; here each key speaks for itself.
        else if (request.path.includes("?")) sendPage(response, 404, "no lists here");
        else fallback();
      },
    },
  );
  for (const [path, query, siblings] of QUESTIONS) {
    authentik.requests.length = 0;
    const reply = await gateway.post(query);
    const found = Object.entries(siblings).map(([alias, pk]) => [alias, { pk, source: { slug: "plex" } }]);
    expect([reply.status, reply.data]).toEqual([
      200,
      { [path]: row.found ?? null, ...Object.fromEntries(found) },
    ]);

    const requestId = reply.headers.get("x-request-id");
    const expected = { path: [path], extensions: { code: row.code, requestId, ...row.extensions } };
    const seen = reply.errors?.map(({ path, extensions }) => ({ path, extensions }));
    expect(seen).toEqual(row.code === null ? undefined : [expected]);

    const retrieves = authentik.paths().filter((path) => !path.includes("?"));
    const keys = [66, ...(row.retried ? [66] : []), ...Object.values(siblings)];
    expect(retrieves.sort()).toEqual(keys.map((pk) => `${CONNECTIONS}${pk}/`).sort());
    // A list is looked at for several keys.
    expect(authentik.requests).toHaveLength(keys.length + Math.sign(found.length));

    const record = gateway.records.at(-1);
    expect(record).toMatchObject({ requestId, codes: row.code === null ? [] : [row.code] });
    const problem = row.problem === undefined ? {} : { problem: row.problem };
    expect(record?.problems).toMatchObject(row.code === null ? [] : [{ ...problem, ...row.told, path }]);
    // Neither the client nor the log is told what authentik says.
    expect(reply.text + JSON.stringify(record)).not.toMatch(/internal-host|secret-of/);
  }
});
