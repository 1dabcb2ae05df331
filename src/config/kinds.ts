import { type About, option, type Option } from "./option.ts";

/** A whole number in decimal digits. */
export function integer(
  about: About<number> & { fallback: number; min: number; max: number },
): Option<number> {
  const { min, max } = about;
  return option({ ...about, expected: `a whole number from ${min} to ${max}`, parse: wholeNumber(min, max) });
}

/** `auto`, or a whole number. */
export function autoOrInteger(
  about: About<"auto" | number> & { fallback: "auto" | number; min: number; max: number },
): Option<"auto" | number> {
  const { min, max } = about;
  const parse = wholeNumber(min, max);
  return option<"auto" | number>({
    ...about,
    expected: `"auto" or a whole number from ${min} to ${max}`,
    parse: (text) => (text === "auto" ? "auto" : parse(text)),
  });
}

/** On or off. */
export function onOff(about: About<boolean> & { fallback: boolean }): Option<boolean> {
  const words: Record<string, boolean> = { true: true, false: false, "1": true, "0": false };
  return option({
    ...about,
    isSwitch: true,
    expected: "true or false",
    parse: (text) => words[text.toLowerCase()],
  });
}

/** One word of a list. */
export function oneOf<Word extends string>(
  words: readonly Word[],
  about: About<Word> & { fallback: NoInfer<Word> },
): Option<Word> {
  return option({
    ...about,
    expected: `one of ${words.join(", ")}`,
    parse: (text) => words.find((word) => word === text),
  });
}

/** A text that must match a pattern; null when it is not given. */
export function text(
  about: About<string | null> & { expected: string; pattern: RegExp },
): Option<string | null> {
  return option<string | null>({
    ...about,
    fallback: null,
    parse: (given) => (about.pattern.test(given) ? given : undefined),
  });
}

/** Items separated by commas; spaces around them do not matter. */
export function listOf(
  about: About<readonly string[]> & { expected: string; isItem: (item: string) => boolean },
): Option<readonly string[]> {
  return option<readonly string[]>({
    ...about,
    fallback: [],
    parse: (given) => {
      const items = given.split(",").map((item) => item.trim());
      return items.every((item) => about.isItem(item)) ? items : undefined;
    },
  });
}

function wholeNumber(min: number, max: number): (text: string) => number | undefined {
  return (given) => {
    if (!/^\d{1,15}$/.test(given)) return undefined;
    const value = Number(given);
    return value >= min && value <= max ? value : undefined;
  };
}
