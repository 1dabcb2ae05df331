/** One thing that is wrong with the configuration, for the person who wrote it. */
export interface ConfigProblem {
  /** As it was written: `PORT`, `--port`, or the argument itself. */
  readonly name: string;
  /** The value, fit to be shown; absent where it is secret or missing. */
  readonly given?: string;
  /** What would be right, as the end of "expected …". */
  readonly expected: string;
}

/** The problem in one line. */
export function problemLine({ name, given, expected }: ConfigProblem): string {
  return `${name}: ${given === undefined ? "" : `given ${given}, `}expected ${expected}`;
}

/** The system's code for why a file cannot be read, such as ENOENT. */
export function whyUnreadable(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
}

/** A given text as it may be shown: without what a URL may hide, on one line, not endless. */
export function presentable(given: string): string {
  const harmless = given
    .replace(/\/\/[^/]*@/, "//…@")
    .replace(/\?.*$/s, "?…")
    .replace(/#.*$/s, "#…");
  return JSON.stringify(harmless.length > 100 ? `${harmless.slice(0, 100)}…` : harmless);
}

/** The known word that was probably meant, or undefined when none is near. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const mostTypos = Math.max(2, given.length / 4);
  const byDistance = known.map((word) => ({ word, typos: typos(given, word) }));
  return byDistance.sort((a, b) => a.typos - b.typos).find((near) => near.typos <= mostTypos)?.word;
}

/** Letters to add, leave out, replace or swap with their neighbour (Damerau's and Levenshtein's distance). */
export function typos(given: string, meant: string): number {
  const rows: number[][] = [Array.from({ length: meant.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= given.length; row += 1) {
    rows[row] = [row];
    for (let column = 1; column <= meant.length; column += 1) {
      const replaced = at(row - 1, column - 1) + (given[row - 1] === meant[column - 1] ? 0 : 1);
      const swaps = given[row - 1] === meant[column - 2] && given[row - 2] === meant[column - 1];
      const swapped = swaps ? at(row - 2, column - 2) + 1 : Infinity;
      rows[row]?.push(Math.min(replaced, swapped, at(row - 1, column) + 1, at(row, column - 1) + 1));
    }
  }
  return at(given.length, meant.length);
}
