import { createHash, timingSafeEqual } from "node:crypto";
import type { Authentik, AuthentikClient, Usage } from "../authentik/client.ts";
import { checkAuthorization } from "../authentik/credentials.ts";
import { AuthentikError } from "../authentik/errors.ts";

/** Whose credential authentik sees. */
export type Credentials =
  /** The caller's own `Authorization`, unchanged. */
  | { mode: "caller" }
  /** The gateway's token; callers show `gatewayKey`, or nothing where open access was asked for (`null`). */
  | { mode: "service"; authentikToken: string; gatewayKey: string | null };

/** Turns a caller's `Authorization` into the one that authentik gets, or into why there is none. */
export function createCallerCheck(
  credentials: Credentials,
): (authorization: string | undefined) => string | AuthentikError {
  if (credentials.mode === "caller") return checkAuthorization;
  const upstream = `Bearer ${credentials.authentikToken}`;
  const { gatewayKey } = credentials;
  if (gatewayKey === null) return () => upstream;
  const expected = digest(gatewayKey);
  return (authorization) => {
    const shown = /^bearer +([^ ]+)$/i.exec(authorization ?? "")?.[1];
    if (shown !== undefined && timingSafeEqual(digest(shown), expected)) return upstream;
    return new AuthentikError("unauthenticated", "the caller did not show the gateway's key");
  };
}

// Digests have one length, so that comparing them tells nothing of the key's.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Counters of an operation that has not cost anything yet. */
export function createUsage(): Usage {
  return {
    restCalls: 0,
    sharedCalls: 0,
    retries: 0,
    queuedMs: 0,
    rowsListed: 0,
    keysRequested: 0,
    keysFetched: 0,
  };
}

/** What resolvers get for a caller without usable credentials: everything is refused, and nothing is sent. */
export function createRefusingClient(upstream: Authentik, error: AuthentikError): AuthentikClient {
  const refuse = () => Promise.reject(error);
  return { callerKey: "", upstream, usage: createUsage(), values: {}, get: refuse, delete: refuse };
}
