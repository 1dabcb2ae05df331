import { expect, test } from "vitest";
import { checkAuthorization, createCallerKeys } from "../../src/authentik/caller.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";

test.each([
  ["Bearer token-of-alice", "Bearer token-of-alice"],
  ["bEaReR a,b", "Bearer a,b"],
])("%j may pass, in one spelling", (value, spelling) => {
  expect(checkAuthorization(value)).toBe(spelling);
});

const REFUSED =
  "|Bearer|token-of-alice|Basic YTpi|Bearer t |Bearer a b|Bearer a, Bearer b|Bearer tökén|Bearer t\r\nX-Evil: 1|Bear\u212Ar t";

test.each([undefined, ...REFUSED.split("|")])("%j is refused, and not quoted", (value) => {
  const error = checkAuthorization(value);
  expect(error).toBeInstanceOf(AuthentikError);
  expect(error).toMatchObject({ kind: "unauthenticated" });
  const word = value?.trim().split(/\s+/).at(-1) ?? "";
  expect(word.length < 4 || !String(error).includes(word)).toBe(true);
});

test("keys of callers hold no credential, and are others in another process", () => {
  const keyOf = createCallerKeys();
  const key = keyOf("Bearer canary-token");
  expect(key).not.toContain("canary");
  expect(keyOf("Bearer canary-token")).toBe(key);
  expect(createCallerKeys()("Bearer canary-token")).not.toBe(key);
});
