import type { Directory, User } from "./directory.ts";
import { Refusal, pageAnswer, refuse } from "./answer.ts";

/** One bearer token that the sandbox knows, with what to expect of it. */
export interface SandboxToken {
  token: string;
  /** One sentence for people who try the sandbox. */
  meaning: string;
}

/** Tokens worth trying, by what they show. */
export const SANDBOX_TOKENS = {
  administrator: {
    token: "token-of-administrator",
    meaning: "A superuser: sees every connection and every source.",
  },
  owner: {
    token: "token-of-alice",
    meaning: "Alice, who owns the connections 5 and 7: sees those two and no source.",
  },
  stranger: {
    token: "token-of-bob",
    meaning: "Bob, who owns the connection 6: for him the connection 5 does not exist.",
  },
  expired: {
    token: "expired-token-of-alice",
    meaning: "A token of Alice that is no longer valid: refused.",
  },
} as const satisfies Record<string, SandboxToken>;

const tokenOfUser = /^token-of-(\w+)$/;

/**
 * Who a caller is by the `Authorization` values of a request. Several values count as one with commas, as they do
 * behind a Python server. Every user has a `token-of-<username>`; no other token is known.
 * @returns null for anonymous callers: no value, or one without a space in it
 * @throws {Refusal} 403 for what is refused, 500 for characters beyond ASCII
 */
export function authenticate(values: readonly string[] | undefined, { users }: Directory): User | null {
  const header = values?.join(",") ?? "";
  // Every release decodes or compares the value in a way that fails here, and nobody catches it.
  if (/[^\0-\x7f]/.test(header)) throw new Refusal(pageAnswer(500, "Server Error"));
  const space = header.indexOf(" ");
  if (space === -1) return null;
  if (header.slice(0, space).toLowerCase() !== "bearer") throw refuse(403, "Unsupported authentication type");
  const username = tokenOfUser.exec(header.slice(space + 1))?.[1];
  for (const user of users.values()) {
    if (user.username === username && user.active) return user;
  }
  throw refuse(403, "Token invalid/expired");
}

/** 403 of an anonymous caller where credentials are needed. */
export function refuseAnonymous(): Refusal {
  return refuse(403, "Authentication credentials were not provided.");
}
