import { LRUCache } from "lru-cache";
import type { AuthentikOptions } from "./client.ts";

/** Parsed answers that may be given again to the same caller for a short time. */
export interface AnswerCache {
  get(key: string): { readonly value: unknown } | undefined;
  set(key: string, value: unknown, bytes: number): void;
}

/** What a parsed value needs in memory, in multiples of its JSON text, and what an entry needs besides. */
const MEMORY_PER_BYTE = 4;
const ENTRY_BYTES = 500;

/**
 * Bounded in time and bytes. Keys begin with the caller's key, so that nobody gets another caller's answer.
 */
export function createAnswerCache(
  options: Pick<AuthentikOptions, "cacheTtlMs" | "cacheMaxBytes">,
): AnswerCache {
  const answers = new LRUCache<string, { readonly value: unknown }>({
    maxSize: options.cacheMaxBytes,
    ttl: options.cacheTtlMs,
  });
  return {
    get: (key) => answers.get(key),
    set(key, value, bytes) {
      answers.set(key, { value }, { size: ENTRY_BYTES + MEMORY_PER_BYTE * bytes });
    },
  };
}
