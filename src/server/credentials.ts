import { createHash, timingSafeEqual } from "node:crypto";
import { checkAuthorization } from "../authentik/caller.ts";
import { clientError } from "../graphql/errors.ts";

/** Whose credential authentik sees. */
export type Credentials =
  /** The caller's own `Authorization`, unchanged. */
  | { mode: "caller" }
  /**
   * The gateway's token; callers show `gatewayKey`, or nothing where open access was asked for (`null`). Both are asked
   * for whenever they are needed, since they may be exchanged while the process runs.
   */
  | { mode: "service"; authentikToken: () => string; gatewayKey: (() => string) | null };

/** Turns a caller's `Authorization` into the one that authentik gets, or into why there is none. */
export function createCallerCheck(
  credentials: Credentials,
): (authorization: string | undefined) => string | Error {
  if (credentials.mode === "caller") return checkAuthorization;
  const { authentikToken, gatewayKey } = credentials;
  const upstream = () => `Bearer ${authentikToken()}`;
  if (gatewayKey === null) return upstream;
  return (authorization) => {
    const shown = /^bearer +([^ ]+)$/i.exec(authorization ?? "")?.[1];
    if (shown !== undefined && timingSafeEqual(digest(shown), digest(gatewayKey()))) return upstream();
    return clientError("UNAUTHENTICATED", "Send this gateway's key as `Authorization: Bearer <key>`.");
  };
}

// Digests have one length, so that comparing them tells nothing of the key's.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
