import { expect, test } from "vitest";
import { checkAuthorization } from "../../src/authentik/caller.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { readRecording, RECORDED_RELEASES } from "../sandbox/recordings.ts";

test.each([
  ...["Bearer token-of-alice", 'Bearer "quoted"', "Bearer a,b"].map((value) => [value, value]),
  ...["bearer t", "BEARER t", "bEaReR t"].map((value) => [value, "Bearer t"]),
])("%j may pass, in one spelling", (value, spelling) => {
  expect(checkAuthorization(value)).toBe(spelling);
});

test.each([
  undefined,
  "",
  " ",
  "Bearer",
  "Bearer ",
  "token-of-alice",
  "Basic YTpi",
  "Token x",
  "Digest t",
  " Bearer t",
  "Bearer t ",
  "Bearer  t",
  "Bearer a b",
  "Bearer a, Bearer b",
  "Bearer\tt",
  "Bearer tökén",
  "Bearer t\u0000",
  "Bearer t\r\nX-Evil: 1",
  "Bearer t\n",
  "Bearer \u0661",
  "Bear\u212Ar t",
  ": t",
  "@ t",
])("%j is refused, and not quoted", (value) => {
  const error = checkAuthorization(value);
  expect(error).toBeInstanceOf(AuthentikError);
  expect(error).toMatchObject({ kind: "unauthenticated" });
  const word = value?.trim().split(/\s+/).at(-1) ?? "";
  expect(word.length < 4 || !String(error).includes(word)).toBe(true);
});

test.each(RECORDED_RELEASES)(
  "what a real server of %s took is never refused, and what broke it never passes",
  (release) => {
    const judged = readRecording(release)
      .filter(({ request }) => request.path.startsWith("/api/v3/sources/user_connections/plex/"))
      .map(({ name, request: { headers }, response: { status } }) => {
        const header = Object.keys(headers).find((name) => name.toLowerCase() === "authorization") ?? "";
        // Spaces around a value are no part of it: every HTTP parser takes them off (RFC 9110, 5.5).
        return { name, status, passes: typeof checkAuthorization(headers[header]?.trim()) === "string" };
      });
    expect(judged.length).toBeGreaterThan(100);
    expect(judged.filter(({ passes, status }) => !passes && status < 400)).toEqual([]);
    expect(judged.filter(({ passes, status }) => passes && status >= 500)).toEqual([]);
  },
);
