import { MAX_PK } from "../../authentik/decoders.ts";

// authentik itself also takes "05", "+5", " 5" and digits of other scripts: one connection must not have many names.
const CANONICAL = /^[1-9][0-9]{0,9}$/;

/** The primary key that an id stands for, or null for everything but the canonical digits of 1 to 2147483647. */
export function parsePk(id: unknown): number | null {
  const pk =
    typeof id === "number" ? id : typeof id === "string" && CANONICAL.test(id) ? Number(id) : Number.NaN;
  return Number.isInteger(pk) && pk >= 1 && pk <= MAX_PK ? pk : null;
}
