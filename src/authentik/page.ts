import { malformed, decodeObject } from "./decoders.ts";

/** One page of a list, as every release from 2024.2 on writes it. */
export interface Page {
  rows: readonly unknown[];
  /** Number of the next page; 0: this was the last. Decides, whatever the arithmetic says. */
  next: number;
  /** Rows that the caller may see in all, when this page was read. */
  count: number;
  /** Rank of the first row, from 1; 0 for an empty page. */
  startIndex: number;
}

/**
 * @throws {AuthentikError} malformed-response
 */
export function decodePage(body: unknown): Page {
  const answer = decodeObject(body, "$");
  const rows = answer["results"];
  if (!Array.isArray(rows)) throw malformed("$.results", "a list", rows);
  const pagination = decodeObject(answer["pagination"], "$.pagination");
  return {
    rows,
    next: decodeCount(pagination, "next"),
    count: decodeCount(pagination, "count"),
    startIndex: decodeCount(pagination, "start_index"),
  };
}

function decodeCount(pagination: Readonly<Record<string, unknown>>, key: string): number {
  const value = pagination[key];
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw malformed(`$.pagination.${key}`, "a whole number", value);
  }
  return value;
}
