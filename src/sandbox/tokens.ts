import type { Directory, User } from "./directory.ts";
import type { Release } from "./releases.ts";
import { httpErrors } from "./response.ts";

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
    meaning: "A superuser: sees every connection, user and source, and may remove connections.",
  },
  owner: {
    token: "token-of-alice",
    meaning: "Alice, who owns the connections 5 and 7: sees those two, herself, and no source.",
  },
  otherOwner: {
    token: "token-of-bob",
    meaning: "Bob, who owns the connection 6: for him the connection 5 does not exist.",
  },
  stranger: {
    token: "token-of-stranger",
    meaning: "Somebody without any connection: sees himself and nothing else.",
  },
  expired: {
    token: "expired-token-of-alice",
    meaning: "A token of Alice that is no longer valid: refused.",
  },
} as const satisfies Record<string, SandboxToken>;

/**
 * Who a caller is by the `Authorization` values of a request. Several values count as one with commas, as they do
 * behind a Python server. Every user has a `token-of-<username>`; no other token is known.
 * @returns null for anonymous callers: no value, or one without a space in it
 * @throws {HttpError} 403 for what is refused, 500 for characters beyond ASCII
 */
export function authenticate(
  values: readonly string[] | undefined,
  { directory, release }: { directory: Directory; release: Release },
): User | null {
  const header = values?.join(",") ?? "";
  // Every release decodes or compares the value in a way that fails here, and nobody catches it.
  if (/[^\0-\x7f]/.test(header)) throw httpErrors.uncaught();
  const space = header.indexOf(" ");
  if (space === -1) return null;
  if (header.slice(0, space).toLowerCase() !== "bearer") {
    if (release.since("2025.12")) return null;
    throw httpErrors.credentials("Unsupported authentication type");
  }
  const token = header.slice(space + 1);
  for (const user of directory.users.values()) {
    if (user.active && token === `token-of-${user.username}`) return user;
  }
  throw httpErrors.credentials("Token invalid/expired");
}
