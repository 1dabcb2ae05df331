import { readFileSync, watchFile } from "node:fs";
import type { Logger } from "pino";
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

/** How often a file is looked at. Asking for its state works with every file system, and where links are exchanged. */
const POLL_INTERVAL_MS = 2_000;

/**
 * The secret as it is now: read again when its file changes. A file that cannot be used keeps the one before and says so
 * in the log. Does not keep the process alive.
 */
export function followSecret(
  { name, value, file }: Secret,
  { log, onChange }: { log: Logger; onChange: () => void },
): () => string {
  let current = value;
  const keep = (problem: string): void =>
    log.error(`${name}_FILE: ${problem}; the one from before stays in use`);
  const read = (path: string): void => {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      keep(`the file cannot be read (${whyUnreadable(error)})`);
      return;
    }
    const parsed = parseSecretFile(name, text);
    if ("expected" in parsed) keep(`given a file, expected ${parsed.expected}`);
    else if (parsed.value !== current) {
      current = parsed.value;
      log.info(`${name}_FILE has changed: the new one is in use`);
      onChange();
    }
  };
  if (file !== null) {
    watchFile(file, { interval: POLL_INTERVAL_MS, persistent: false }, () => read(file));
    // It may have changed between its first reading and now.
    setTimeout(() => read(file), POLL_INTERVAL_MS).unref();
  }
  return () => current;
}

/** The system's code for why a file cannot be read, such as ENOENT. */
export function whyUnreadable(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
}
