import type { Directory, User } from "./directory.ts";
import { httpErrors } from "./rest-response.ts";

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
 * Who a caller is by the `Authorization` of a request, which is a bearer token or missing. Every user has a
 * `token-of-<username>`; no other token is known.
 * @throws {HttpError} 403 for everybody else
 */
export function authenticate(values: readonly string[] | undefined, { users }: Directory): User {
  if (values === undefined) throw httpErrors.anonymous();
  const token = /^bearer (.*)$/i.exec(values[0] ?? "")?.[1];
  for (const user of users.values()) if (user.active && token === `token-of-${user.username}`) return user;
  throw httpErrors.credentials("Token invalid/expired");
}
