import { expect, test } from "vitest";
import { decodeResponse } from "../../src/authentik/response.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import type { UpstreamResponse } from "../../src/authentik/http.ts";
import { readRecording, RECORDED_RELEASES, type RecordedCase } from "../sandbox/recordings.ts";
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

const GO_ROUTER = { error: "failed to connect to authentik backend: authentik starting" };

// Beside the rows of test/resources/truth-table.test.ts.
test.each<[string, string, UpstreamResponse]>([
  ["no content type", "malformed-response", answer(200, "{}", "")],
  ["JSON by another name", "malformed-response", answer(200, "{}", "application/jsonp")],
  ["an empty body", "malformed-response", answer(200, "")],
  ["206", "malformed-response", answer(206, { pk: 5 })],
  ["a router's other error with 200", "unreachable", answer(200, { error: "failed to connect" })],
  ["starting with 502, as text", "starting", answer(502, GO_ROUTER, "text/plain; charset=utf-8")],
  ["starting with 503", "starting", answer(503, { error: "authentik starting" }, JSON_TYPE, "5")],
  ["501", "upstream-failure", answer(501, "", "")],
  ["520 of a proxy", "unreachable", answer(520, errorPage("Web server is returning an unknown error"), HTML)],
  ["522 of a proxy", "unreachable", answer(522, errorPage("Connection timed out"), HTML)],
  ["530 of a proxy", "unreachable", answer(530, errorPage("Origin DNS error"), HTML)],
  ["408 of a proxy", "unreachable", answer(408, errorPage("Request Time-out"), HTML)],
  ["301", "redirected", answer(301, "", "")],
  ["304", "redirected", answer(304, "", "")],
  ["403 as a page", "malformed-response", answer(403, errorPage("Forbidden"), HTML)],
  ["403 as other JSON", "malformed-response", answer(403, { message: "Forbidden" })],
  ["403 without a word", "malformed-response", answer(403, "", "")],
  ["401 as a page", "malformed-response", answer(401, errorPage("Authorization Required"), HTML)],
  ["401 as other JSON", "malformed-response", answer(401, { message: "Unauthorized" })],
  ["400 as a page", "malformed-response", answer(400, errorPage("Bad Request"), HTML)],
  ["404 as JSON that is no object", "malformed-response", answer(404, "null")],
  ["406", "rejected", answer(406, { detail: "Could not satisfy the request Accept header." })],
])("%s is %s", (_name, kind, given) => {
  const error = errorOf(given);
  expect(error).toMatchObject({ kind, status: given.status, route: ROUTE });
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

/** What each recorded refusal of a read has to be, by what real servers said. */
function expectedKind({ request, response }: RecordedCase): string {
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

test.each(RECORDED_RELEASES)(
  "every read that a real server of %s answered is read as what it was",
  (release) => {
    const reads = readRecording(release).filter(
      ({ request }) => request.method === "GET" && request.path.startsWith("/api/v3/"),
    );
    expect(reads.length).toBeGreaterThan(100);
    for (const recorded of reads) {
      const { status, headers, body, text } = recorded.response;
      const given = answer(status, body ?? text ?? "", headers["content-type"]);
      const reading = decodeResponse(given, { route: ROUTE });
      expect([recorded.name, reading instanceof AuthentikError ? reading.kind : reading.value]).toEqual([
        recorded.name,
        status === 200 ? body : expectedKind(recorded),
      ]);
    }
  },
);
