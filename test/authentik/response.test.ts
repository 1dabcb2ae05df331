import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeResponse } from "../../src/authentik/response.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import type { UpstreamResponse } from "../../src/authentik/http.ts";
import { errorPage } from "../support/wire-bodies.ts";

const ROUTE = "/sources/user_connections/plex/{id}/";
const JSON_TYPE = "application/json";
const HTML = "text/html; charset=utf-8";

function answer(status: number, body: unknown, contentType = JSON_TYPE, retryAfter = ""): UpstreamResponse {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    status,
    contentType,
    contentEncoding: "",
    retryAfter,
    latencyMs: 1,
    upstreamRequestId: "0123456789abcdef0123456789abcdef",
    body: text,
    bytes: Buffer.byteLength(text),
  };
}

function errorOf(given: UpstreamResponse): AuthentikError {
  const reading = decodeResponse(given, { route: ROUTE });
  if (reading instanceof AuthentikError) return reading;
  throw new Error(`no error: ${JSON.stringify(reading.value)}`);
}

test.each([
  ["application/json"],
  ["application/json; charset=utf-8"],
  ["application/json;charset=utf-8"],
  ["Application/JSON"],
])("200 with %s is its JSON", (contentType) => {
  expect(decodeResponse(answer(200, { pk: 5 }, contentType), { route: ROUTE })).toEqual({ value: { pk: 5 } });
});

const starting = { error: "authentik starting" };
const GO_ROUTER = { error: "failed to connect to authentik backend: authentik starting" };

test.each<[string, string, UpstreamResponse]>([
  ["a page with 200", "malformed-response", answer(200, errorPage("Login"), HTML)],
  ["no content type", "malformed-response", answer(200, "{}", "")],
  ["JSON by another name", "malformed-response", answer(200, "{}", "application/jsonp")],
  ["broken JSON", "malformed-response", answer(200, '{"pk": 5')],
  ["an empty body", "malformed-response", answer(200, "")],
  ["204", "malformed-response", answer(204, "", "")],
  ["206", "malformed-response", answer(206, { pk: 5 })],
  ["starting with 200, as Go routers do", "starting", answer(200, starting, JSON_TYPE, "5")],
  ["a router's other error with 200", "unreachable", answer(200, { error: "failed to connect" })],
  ["starting with 502, as text", "starting", answer(502, GO_ROUTER, "text/plain; charset=utf-8")],
  ["starting with 503", "starting", answer(503, starting, JSON_TYPE, "5")],
  ["502", "unreachable", answer(502, { error: "failed to connect to authentik backend: EOF" })],
  ["502 as a proxy's page", "unreachable", answer(502, errorPage("Bad Gateway"), HTML)],
  ["503", "unreachable", answer(503, "", "")],
  ["504", "unreachable", answer(504, errorPage("Gateway Time-out"), HTML)],
  ["500", "upstream-failure", answer(500, errorPage("Server Error"), HTML)],
  ["501", "upstream-failure", answer(501, "", "")],
  ["520 of a proxy", "unreachable", answer(520, errorPage("Web server is returning an unknown error"), HTML)],
  ["522 of a proxy", "unreachable", answer(522, errorPage("Connection timed out"), HTML)],
  ["530 of a proxy", "unreachable", answer(530, errorPage("Origin DNS error"), HTML)],
  ["408 of a proxy", "unreachable", answer(408, errorPage("Request Time-out"), HTML)],
  ["301", "redirected", answer(301, "", "")],
  ["302 to a login page", "redirected", answer(302, errorPage("Login"), HTML)],
  ["304", "redirected", answer(304, "", "")],
  ["401", "unauthenticated", answer(401, { detail: "Anything." })],
  ["403 for lack of permission", "forbidden", answer(403, { detail: "You do not have permission." })],
  ["403 as a page", "malformed-response", answer(403, errorPage("Forbidden"), HTML)],
  ["403 as other JSON", "malformed-response", answer(403, { message: "Forbidden" })],
  ["403 without a word", "malformed-response", answer(403, "", "")],
  ["401 as a page", "malformed-response", answer(401, errorPage("Authorization Required"), HTML)],
  ["401 as other JSON", "malformed-response", answer(401, { message: "Unauthorized" })],
  ["400 as a page", "malformed-response", answer(400, errorPage("Bad Request"), HTML)],
  ["404 of the API", "not-found", answer(404, { detail: "Not found." })],
  [
    "404 of the API, newer",
    "not-found",
    answer(404, { detail: "No UserPlexSourceConnection matches the given query." }),
  ],
  ["404 as a page", "malformed-response", answer(404, errorPage("Not Found"), HTML)],
  ["404 as other JSON", "malformed-response", answer(404, { message: "no Route matched" })],
  ["404 as JSON that is no object", "malformed-response", answer(404, "null")],
  ["429", "rate-limited", answer(429, { detail: "Request was throttled." }, JSON_TYPE, "1")],
  ["405", "rejected", answer(405, { detail: 'Method "GET" not allowed.' })],
  ["406", "rejected", answer(406, { detail: "Could not satisfy the request Accept header." })],
  ["418", "rejected", answer(418, "", "")],
])("%s is %s", (_name, kind, given) => {
  const error = errorOf(given);
  expect(error).toMatchObject({ kind, status: given.status, route: ROUTE });
});

test.each([
  "Authentication credentials were not provided.",
  "Token invalid/expired",
  "Unsupported authentication type",
  "Malformed header",
])("403 with %j is about credentials", (detail) => {
  expect(errorOf(answer(403, { detail })).kind).toBe("unauthenticated");
});

test("a 400 carries its field errors as they came", () => {
  const body = { user: ['Invalid pk "9".'], non_field_errors: ["x"], code: "y", nested: { deep: ["z"] } };
  expect(errorOf(answer(400, body))).toMatchObject({ kind: "invalid-input", fieldErrors: body });
  expect(errorOf(answer(400, ["Null characters are not allowed."])).fieldErrors).toEqual([
    "Null characters are not allowed.",
  ]);
  expect(errorOf(answer(400, errorPage("Bad Request"), HTML)).fieldErrors).toBeUndefined();
});

test.each([
  ["5", 5],
  [" 120 ", 120],
  ["0", 1],
  ["99999999", 3_600],
  ["-1", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["Fri, 31 Dec 1999 23:59:59 GMT", 1],
  ["Fri, 31 Dec 2999 23:59:59 GMT", 3_600],
])("Retry-After %j is %j seconds", (header, seconds) => {
  expect(errorOf(answer(503, "", "", header)).retryAfterSeconds).toBe(seconds);
  expect(errorOf(answer(429, {}, JSON_TYPE, header)).retryAfterSeconds).toBe(seconds);
});

test("nothing that the answer says gets into message or detail", () => {
  const secret = "canary-in-the-body";
  const type = `text/${secret.replaceAll("-", "")}`;
  for (const status of [200, 204, 302, 400, 401, 403, 404, 405, 429, 500, 502, 503, 504]) {
    for (const contentType of [JSON_TYPE, HTML]) {
      for (const body of [{ detail: secret }, { error: secret }, errorPage(secret), secret]) {
        const reading = decodeResponse(answer(status, body, contentType), { route: ROUTE });
        if (!(reading instanceof AuthentikError)) continue;
        expect(`${reading.message} ${reading.detail} ${String(reading.cause)}`).not.toContain(secret);
      }
    }
  }
  expect(errorOf(answer(200, "x", `${type}; a="${secret}"`)).detail).not.toContain(secret);
});

interface Recorded {
  name: string;
  request: { method: string; path: string };
  response: { status: number; headers: Record<string, string>; body?: unknown; text?: string };
}

const folder = new URL("../fixtures/recorded/", import.meta.url);
const releases = readdirSync(folder).filter((file) => /^\d{4}\..*\.json$/.test(file));

test("there are recordings", () => {
  expect(releases.length).toBeGreaterThanOrEqual(4);
});

/** What each recorded refusal of a read has to be, by what real servers said. */
function expectedKind({ request, response }: Recorded): string {
  const { status, body } = response;
  const detail = typeof body === "object" && body !== null && "detail" in body ? body.detail : undefined;
  if (status === 400) return "invalid-input";
  if (status === 403) {
    return detail === "You do not have permission to perform this action." ? "forbidden" : "unauthenticated";
  }
  if (status === 404) return body === undefined ? "malformed-response" : "not-found";
  if (status === 406) return "rejected";
  if (status === 500) return "upstream-failure";
  throw new Error(`a recorded ${status} without an expectation: ${request.path}`);
}

test.each(releases)("every read that a real server of %s answered is read as what it was", (file) => {
  // The recordings' own format; see their README.
  const { cases } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as { cases: Recorded[] };
  const reads = cases.filter(
    ({ request }) => request.method === "GET" && request.path.startsWith("/api/v3/"),
  );
  expect(reads.length).toBeGreaterThan(100);
  const outcomes = reads.map(({ name, response: { status, headers, body, text } }) => {
    const reading = decodeResponse(answer(status, body ?? text ?? "", headers["content-type"]), {
      route: ROUTE,
    });
    return { name, outcome: reading instanceof AuthentikError ? reading.kind : reading.value };
  });
  expect(outcomes).toEqual(
    reads.map((recorded) => ({
      name: recorded.name,
      outcome: recorded.response.status === 200 ? recorded.response.body : expectedKind(recorded),
    })),
  );
});
