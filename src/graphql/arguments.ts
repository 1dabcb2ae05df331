import { isUuid, MAX_PK } from "../authentik/decoders.ts";
import { clientError } from "./errors.ts";

// authentik itself also takes "05", "+5", " 5" and digits of other scripts: one object must not have many names.
const CANONICAL = /^[1-9][0-9]{0,9}$/;

/**
 * The primary key that an id stands for: the canonical digits of 1 to 2147483647, as text or as a number.
 * @throws BAD_USER_INPUT with a sentence that says what is wrong with it
 */
export function requirePk(id: unknown, argument: string): number {
  const pk =
    typeof id === "number" ? id : typeof id === "string" && CANONICAL.test(id) ? Number(id) : Number.NaN;
  if (Number.isInteger(pk) && pk >= 1 && pk <= MAX_PK) return pk;
  const wrong = whatIsWrong(typeof id === "number" ? String(id) : id);
  throw clientError(
    "BAD_USER_INPUT",
    `An id is digits only, from 1 to ${MAX_PK}, such as 5 or "5"; ${wrong}.`,
    { argument },
  );
}

function whatIsWrong(id: unknown): string {
  if (typeof id !== "string") return "this is neither a number nor text";
  if (id === "") return "this one is empty";
  if (/^0+$/.test(id)) return "there is none before 1";
  if (/^0[0-9]+$/.test(id)) return "this one begins with a zero";
  if (/^[0-9]+$/.test(id)) return "this one is too large";
  if (/^-[0-9]+$/.test(id)) return "this one is negative";
  if (/^\s*[0-9]+\s*$/.test(id)) return "this one has a space around it";
  if (/^[0-9]+\.[0-9]+$/.test(id)) return "this one has a fraction";
  if (/^\p{Nd}+$/u.test(id)) return "write the digits 0 to 9";
  return "this one has something else in it";
}

/**
 * A primary key that is a UUID, in lower case.
 * @param sentence what the key of such an entity is
 * @throws BAD_USER_INPUT with that sentence
 */
export function requireUuid(pk: unknown, sentence: string): string {
  if (typeof pk === "string" && isUuid(pk)) return pk.toLowerCase();
  throw clientError("BAD_USER_INPUT", sentence, { argument: "pk" });
}

/** Longer than any name, address or slug that people give; some have no limit in authentik. */
const MAX_TEXT_LENGTH = 1000;

/**
 * A text to filter by.
 * @throws BAD_USER_INPUT for what authentik would take as no filter at all, or cannot store: nothing has it
 */
export function requireText(
  text: string,
  argument: string,
  { maxLength = MAX_TEXT_LENGTH }: { maxLength?: number } = {},
): string {
  const wrong =
    text === ""
      ? `is empty${argument.startsWith("filter.") ? ". Leave it out to ask for everything" : ""}`
      : text.length > maxLength
        ? `has more than ${maxLength} characters`
        : text.includes("\0") || !text.isWellFormed()
          ? "has a character that no text in authentik can have"
          : null;
  if (wrong !== null) throw clientError("BAD_USER_INPUT", `\`${argument}\` ${wrong}.`, { argument });
  return text;
}

const MAX_WORDS_LENGTH = 255;

/**
 * Words to search for. authentik looks for each by itself, which costs it most, and finds everybody where there is none.
 * @throws BAD_USER_INPUT
 */
export function requireWords(text: string, argument: string): string {
  const hasWords = /[^\s\p{Cc},"']/u.test(text);
  return requireText(hasWords ? text : "", argument, { maxLength: MAX_WORDS_LENGTH });
}
