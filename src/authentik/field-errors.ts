/** What authentik says about each field of a refused request: lists of sentences, nested as the request was. */
export type FieldErrors = string | FieldErrors[] | { [field: string]: FieldErrors };

const MAX_DEPTH = 5;
const MAX_ENTRIES = 50;
const MAX_TEXT_LENGTH = 500;

/** Keys whose value is one text; everywhere else texts stand in lists. */
const TEXT_KEYS: ReadonlySet<string> = new Set(["detail", "code"]);

/**
 * The parts of a 400's body that have the shape of field errors; undefined where there are none.
 * Everything else is left out: what is no sentence about a field may be a value that nobody asked for, even a secret.
 */
export function decodeFieldErrors(body: unknown, depth = 0): FieldErrors | undefined {
  if (depth > MAX_DEPTH || typeof body !== "object" || body === null) return undefined;
  if (Array.isArray(body)) {
    const entries = body
      .slice(0, MAX_ENTRIES)
      .map((entry) => (typeof entry === "string" ? shortened(entry) : decodeFieldErrors(entry, depth + 1)))
      .filter((entry) => entry !== undefined);
    return entries.length > 0 ? entries : undefined;
  }
  const fields: [string, FieldErrors][] = [];
  for (const [key, value] of Object.entries(body).slice(0, MAX_ENTRIES)) {
    const errors =
      typeof value === "string" && TEXT_KEYS.has(key)
        ? shortened(value)
        : decodeFieldErrors(value, depth + 1);
    if (errors !== undefined) fields.push([shortened(key), errors]);
  }
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}

function shortened(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`;
}
