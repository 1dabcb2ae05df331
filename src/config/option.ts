import * as v from "valibot";

/** What `authentik-graphql <command>` can do. */
export const commands = ["serve", "sandbox", "health", "schema", "help", "version"] as const;

/** One of the commands. */
export type Command = (typeof commands)[number];

/** One setting. Whatever is checked and said about it is made from this. */
export interface Option<Value> {
  /** From the text that was given to the value; the message of its issues ends the sentence "expected …". */
  readonly schema: v.GenericSchema<string, Value>;
  readonly default: Value;
  /** Whole sentence for someone who sees the option for the first time. */
  readonly meaning: string;
  /** The default in words, where the value alone says little. */
  readonly defaultInWords?: string;
  /** Commands that read it; elsewhere its flag is refused and its variable ignored. Without: `serve`. */
  readonly commands?: readonly Command[];
  /** Name of the flag without dashes; without one, the variable's name in kebab-case. */
  readonly flag?: string;
  /** Never shown, and never a flag's value, since command lines are visible to other users of the machine. */
  readonly secret?: true;
  /** Whether the flag alone means true, and `--no-…` false. */
  readonly isSwitch?: true;
  /** Whether an empty variable is a mistake. Elsewhere it counts as not set, as compose files write it so. */
  readonly emptyIsWrong?: true;
}

type More = Pick<Option<unknown>, "defaultInWords" | "commands" | "flag" | "secret" | "emptyIsWrong">;

/** An option with any schema. */
export function option<Value, Default = Value>(
  schema: v.GenericSchema<string, Value>,
  value: Default,
  meaning: string,
  more: More = {},
): Option<Value | Default> {
  return { schema, default: value, meaning, ...more };
}

/** A kind of option: a whole number in decimal digits, within these bounds. */
export function wholeNumber(min: number, max: number) {
  return (value: number, meaning: string, more?: More): Option<number> =>
    option(digits(min, max), value, meaning, more);
}

/** `auto`, or a whole number. */
export function autoOrWholeNumber(min: number, max: number, meaning: string): Option<"auto" | number> {
  const expected = `"auto" or a whole number from ${min} to ${max}`;
  return option(v.union([v.literal("auto"), digits(min, max)], expected), "auto", meaning);
}

/** On or off. */
export function toggle(value: boolean, meaning: string, more?: More): Option<boolean> {
  const words = v.picklist(["true", "false", "1", "0"], "true or false");
  const schema = v.pipe(
    v.string(),
    v.toLowerCase(),
    words,
    v.transform((word) => word === "true" || word === "1"),
  );
  return { ...option(schema, value, meaning, more), isSwitch: true };
}

/** One word of several. */
export function choice<const Word extends string>(
  words: readonly Word[],
  value: NoInfer<Word>,
  meaning: string,
  more?: More,
): Option<Word> {
  return option(v.pipe(v.string(), v.picklist(words, `one of ${words.join(", ")}`)), value, meaning, more);
}

/** Items separated by commas; spaces around them do not matter. */
export function listOf<Item>(item: v.GenericSchema<string, Item>): v.GenericSchema<string, readonly Item[]> {
  const split = v.transform((given: string) => given.split(",").map((part) => part.trim()));
  return v.pipe(v.string(), split, v.array(item));
}

/** A text that matches a pattern. */
export function text(pattern: RegExp, expected: string): v.GenericSchema<string, string> {
  return v.pipe(v.string(), v.regex(pattern, expected));
}

/** A base URL of an authentik: a path prefix is fine, anything that would end up in the wrong place is not. */
export function baseUrl(expected: string): v.GenericSchema<string, URL> {
  return v.pipe(v.string(), v.transform(parseBaseUrl), v.instance(URL, expected));
}

function parseBaseUrl(given: string): URL | undefined {
  if (!/^https?:\/\/[^/]/i.test(given) || /[\s\\?#]/.test(given) || !URL.canParse(given)) return undefined;
  const url = new URL(given);
  if (url.username !== "" || url.password !== "" || /\/api(\/v3)?\/*$/.test(url.pathname)) return undefined;
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

function digits(min: number, max: number): v.GenericSchema<string, number> {
  const expected = `a whole number from ${min} to ${max}`;
  return v.pipe(
    text(/^\d{1,15}$/, expected),
    v.transform(Number),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  );
}

/** The name of the flag for an environment variable: `AUTHENTIK_URL` is `--authentik-url`. */
export function flagOf(name: string, { flag }: Pick<Option<unknown>, "flag">): string {
  return `--${flag ?? name.toLowerCase().replaceAll("_", "-")}`;
}

/** Whether a command reads an option. */
export function isReadBy(command: Command, { commands = ["serve"] }: Option<unknown>): boolean {
  return commands.includes(command);
}
