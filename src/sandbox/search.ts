import { Refusal, jsonAnswer } from "./answer.ts";
import type { ReleaseTraits } from "./releases.ts";

/**
 * Whether a row matches `?search=`: each term is in one of its fields, in upper or lower case.
 * @throws {Refusal} 400 for a NUL character, from REST framework 3.16 on
 */
export function createSearch(
  text: string | undefined,
  { restFramework }: ReleaseTraits,
): (fields: readonly string[]) => boolean {
  const terms = restFramework === "3.14" ? plainTerms(text ?? "") : quotedTerms(text ?? "");
  const wanted = terms.map((term) => term.toLowerCase());
  return (fields) => wanted.every((term) => fields.some((field) => field.toLowerCase().includes(term)));
}

function plainTerms(text: string): string[] {
  return text
    .replaceAll("\0", "")
    .split(/[\s,]+/)
    .filter((term) => term !== "");
}

function quotedTerms(text: string): string[] {
  if (text.includes("\0"))
    throw new Refusal(jsonAnswer(["Null characters are not allowed."], { status: 400 }));
  const words = text.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+/g) ?? [];
  return words.flatMap((word) => {
    const term = word.replaceAll(/^,+|,+$/g, "");
    const [first] = term;
    // A lone quote counts as a quoted phrase without text: it is in every field.
    if ((first === '"' || first === "'") && term.endsWith(first)) return [term.slice(1, -1)];
    return term.split(",").filter((part) => part !== "");
  });
}
