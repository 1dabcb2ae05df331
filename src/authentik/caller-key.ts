import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";

/** Credentials whose key is remembered. */
const REMEMBERED = 1_000;

/**
 * A function from credentials to keys: equal for equal credentials, different for different ones, and useless to whoever
 * reads them in a dump, a log or a metric, because the key of the hash is random and lives in this process only.
 */
export function createCallerKeys(): (authorization: string) => string {
  const secret = randomBytes(32);
  const remembered = new LRUCache<string, string>({ max: REMEMBERED });
  return (authorization) => {
    const known = remembered.get(authorization);
    if (known !== undefined) return known;
    const key = createHmac("sha256", secret).update(authorization).digest("base64url").slice(0, 27);
    remembered.set(authorization, key);
    return key;
  };
}
