import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkAuthorization } from "../../src/authentik/caller.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";

test.each(["Bearer token-of-alice", 'Bearer "quoted"', "Bearer a,b"])("%j may pass", (value) => {
  expect(checkAuthorization(value)).toBe(value);
});

test.each(["bearer t", "BEARER t", "bEaReR t"])("%j has one spelling", (value) => {
  expect(checkAuthorization(value)).toBe("Bearer t");
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

interface Recorded {
  name: string;
  request: { method: string; path: string; headers: Record<string, string | string[]> };
  response: { status: number };
}

const folder = new URL("../fixtures/recorded/", import.meta.url);
const releases = readdirSync(folder).filter((file) => /^\d{4}\..*\.json$/.test(file));

test.each(releases)(
  "what a real server of %s took is never refused, and what broke it never passes",
  (file) => {
    // The recordings' own format; see their README.
    const { cases } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as { cases: Recorded[] };
    const judged = cases.flatMap(({ name, request, response }) => {
      const value = Object.entries(request.headers).find(
        ([header]) => header.toLowerCase() === "authorization",
      )?.[1];
      if (!request.path.startsWith("/api/v3/sources/user_connections/plex/") || Array.isArray(value))
        return [];
      // Spaces around a value are no part of it: every HTTP parser takes them off (RFC 9110, 5.5).
      const passes = typeof checkAuthorization(value?.trim()) === "string";
      return [{ name, passes, status: response.status }];
    });
    expect(judged.length).toBeGreaterThan(100);
    expect(judged.filter(({ passes, status }) => !passes && status < 400)).toEqual([]);
    expect(judged.filter(({ passes, status }) => passes && status >= 500)).toEqual([]);
  },
);
