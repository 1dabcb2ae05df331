/** A value to sort by. */
export type SortKey = string | number;

/** How to read, from a row, each field that may be sorted by. */
export type SortKeys<Row> = Readonly<Record<string, (row: Row) => SortKey>>;

/**
 * Sorts rows by `?ordering=`: fields with commas between them, a minus for descending. Unknown fields are ignored,
 * and where none is left the default counts. Rows that are equal stay as they were.
 */
export function sortRows<Row>(
  rows: readonly Row[],
  ordering: string | undefined,
  {
    keys,
    allowed,
    fallback,
  }: { keys: SortKeys<Row>; allowed: readonly string[]; fallback: readonly string[] },
): Row[] {
  const asked = (ordering ?? "")
    .split(",")
    .map((field) => field.trim())
    .filter((field) => allowed.includes(field.replace(/^-/, "")));
  const fields = (asked.length > 0 ? asked : fallback).map((field) => ({
    key: keys[field.replace(/^-/, "")],
    sign: field.startsWith("-") ? -1 : 1,
  }));
  return rows.toSorted((left, right) => {
    for (const { key, sign } of fields) {
      if (key === undefined) continue;
      const order = compareKeys(key(left), key(right));
      if (order !== 0) return order * sign;
    }
    return 0;
  });
}

function compareKeys(left: SortKey, right: SortKey): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
