import { readFileSync, watchFile } from "node:fs";
import type { Logger } from "pino";
import { parseSecretFile, type Secret } from "./config/secret.ts";

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
  const read = (path: string): void => {
    const found = readSecret(name, path);
    if ("problem" in found) {
      log.error(`${name}_FILE: ${found.problem}; the one from before stays in use`);
    } else if (found.value !== current) {
      current = found.value;
      log.info(`${name}_FILE has changed: the new one is in use`);
      onChange();
    }
  };
  if (file !== null) watchFile(file, { interval: POLL_INTERVAL_MS, persistent: false }, () => read(file));
  return () => current;
}

function readSecret(name: Secret["name"], path: string): { value: string } | { problem: string } {
  try {
    const parsed = parseSecretFile(name, readFileSync(path, "utf8"));
    return "value" in parsed ? parsed : { problem: `given a file, expected ${parsed.expected}` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { problem: `the file cannot be read (${code})` };
  }
}
