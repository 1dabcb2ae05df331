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
