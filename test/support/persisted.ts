import { createHash } from "node:crypto";

/** What names a query by its hash. */
export function persisted(query: string) {
  const sha256Hash = createHash("sha256").update(query).digest("hex");
  return { extensions: { persistedQuery: { version: 1, sha256Hash } } };
}
