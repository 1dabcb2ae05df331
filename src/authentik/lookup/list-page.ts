import { malformed, decodeObject, decodePk, MAX_PK } from "../decoders.ts";
import { AuthentikError, outcomeOf } from "../authentik-error.ts";

/** One page of a list, as every release from 2024.2 on sends it. */
export interface Page<Row = unknown> {
  rows: readonly Row[];
  /** Number of the next page; 0: this was the last. Decides, whatever the arithmetic says. */
  next: number;
  /** Rows that the caller may see in all, when this page was read. */
  count: number;
  /** Rank of the first row, from 1; 0 where the caller sees no rows at all. */
  startIndex: number;
  /**
   * Whether it has as many rows as its own `start_index`, `end_index`, `count` and `next` say. Otherwise a row that it lacks
   * need not be absent: only the rows that it has can be believed.
   */
  isComplete: boolean;
}

/** @throws {AuthentikError} malformed-response */
export function decodePage(body: unknown): Page {
  const response = decodeObject(body, "$");
  const rows = response["results"];
  if (!Array.isArray(rows)) throw malformed("$.results", "a list", rows);
  const pagination = decodeObject(response["pagination"], "$.pagination");
  const next = decodeCount(pagination, "next");
  const count = decodeCount(pagination, "count");
  const startIndex = decodeCount(pagination, "start_index");
  const endIndex = decodeCount(pagination, "end_index");
  // Of an empty list authentik says 0 and 0; no other list has an empty page.
  const rowsSaid = count === 0 ? 0 : endIndex - startIndex + 1;
  const isComplete =
    rows.length === rowsSaid &&
    (count === 0 || (startIndex >= 1 && rows.length > 0)) &&
    endIndex <= count &&
    (endIndex === count) === (next === 0);
  return { rows, next, count, startIndex, isComplete };
}

/** What is wrong where a key is missing on a page that is not complete. */
export function incompletePage(page: Page): AuthentikError {
  return new AuthentikError("malformed-response", "authentik sent a page with fewer rows than it says", {
    detail: `${page.rows.length} rows from ${page.startIndex} on, of ${page.count}; next page ${page.next}`,
  });
}

export type PkPage<T> = ReturnType<typeof decodePkPage<T>>;

/**
 * A page of a list ordered by an integer primary key, of rows that are decoded when they are wanted.
 * @param decode a row. @throws {AuthentikError} malformed-response
 * @throws {AuthentikError} malformed-response, for what is no page
 */
export function decodePkPage<T>(body: unknown, decode: (row: unknown, path: string) => T) {
  const { rows, ...page } = decodePage(body);
  const pks = rows.map((row, index) => {
    const path = `$.results[${index}]`;
    return decodePk(decodeObject(row, path), "pk", path);
  });
  const indexes = new Map(pks.map((pk, index) => [pk, index]));
  const isAscending = pks.every((pk, index) => pk > (pks[index - 1] ?? 0));
  return {
    ...page,
    pks,
    /** As for any page, and the keys ascend: what lies between two rows does not exist. */
    isComplete: page.isComplete && isAscending,
    /** What the row of this key holds, or what is wrong with it; undefined where there is no such row. */
    outcomeOf(pk: number): T | AuthentikError | undefined {
      const index = indexes.get(pk);
      return index === undefined ? undefined : outcomeOf(() => decode(rows[index], `$.results[${index}]`));
    },
  };
}

function decodeCount(pagination: Readonly<Record<string, unknown>>, key: string): number {
  const value = pagination[key];
  // No list has more rows than there are keys.
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_PK) {
    throw malformed(`$.pagination.${key}`, "a whole number", value);
  }
  return value;
}
