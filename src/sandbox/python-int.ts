const pythonDigits = /^[+-]?\p{Nd}(?:_?\p{Nd})*$/u;
const mostDigits = 4300;
/** Five styles of digits without a gap between them. */
const mathematicalDigits = { first: 0x1d7ce, last: 0x1d7ff };

/**
 * Reads text as Python's `int()` does: spaces around, a sign, underscores and the digits of every script are fine.
 * @returns null where Python raises ValueError
 */
export function toPythonInt(text: string): bigint | null {
  const trimmed = text.trim();
  if (!pythonDigits.test(trimmed)) return null;
  let digits = "";
  for (const character of trimmed) {
    if (/\p{Nd}/u.test(character)) digits += String(digitValue(character));
  }
  if (digits.length > mostDigits) return null;
  return trimmed.startsWith("-") ? -BigInt(digits) : BigInt(digits);
}

/** The digits of a script stand together in tens, zero first. */
function digitValue(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint >= mathematicalDigits.first && codePoint <= mathematicalDigits.last) {
    return (codePoint - mathematicalDigits.first) % 10;
  }
  let zero = codePoint;
  while (codePoint - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return codePoint - zero;
}
