/** Nobody is told to come back later than this; a header that says more is a mistake or a joke. */
const LONGEST_SECONDS = 3_600;

/**
 * Whole seconds (1 to 3600) that a `Retry-After` header asks for, as seconds or as an HTTP date.
 *
 * @returns undefined when it is absent or not understood
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterSeconds(header: string, now: number = Date.now()): number | undefined {
  const text = header.trim();
  if (text === "") return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (httpDate(text) - now) / 1_000;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(Math.ceil(seconds), 1), LONGEST_SECONDS);
}

function httpDate(text: string): number {
  return /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN;
}
