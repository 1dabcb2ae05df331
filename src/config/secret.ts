import * as v from "valibot";
import { sections } from "./options.ts";

/** The options that hold secrets; each may also be given as a file. */
export type SecretName = "AUTHENTIK_TOKEN" | "GATEWAY_KEY";

/** A secret as it was at the start. */
export interface Secret {
  readonly name: SecretName;
  readonly value: string;
  /** Where it came from, and where another one may be found later; null: from the environment. */
  readonly file: string | null;
}

/** The secret that a file holds, spaces and line breaks around it aside; or what it should hold, as the end of "expected …". */
export function parseSecretFile(name: SecretName, text: string): { value: string } | { expected: string } {
  const { success, output, issues } = v.safeParse(sections.Credentials[name].schema, text.trim());
  // The schema has null as its default only.
  return success && output !== null ? { value: output } : { expected: `one with ${issues?.[0].message}` };
}
