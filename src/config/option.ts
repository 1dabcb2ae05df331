/** What `authentik-graphql <command>` can do. */
export type Command = "serve" | "sandbox" | "schema" | "help" | "version";

/** Headings of `--help` and of the tables in the README, in their order. */
export const sections = [
  "authentik",
  "Credentials",
  "Listening",
  "GraphQL",
  "Limits",
  "Logs and metrics",
  "Slow clients and shutdown",
  "Sandbox",
] as const;

/** One of those headings. */
export type Section = (typeof sections)[number];

/** One setting: how it is written, what it may be and what it means. Everything that is said about it is made from this. */
export interface Option<Value> {
  readonly section: Section;
  /** Commands that read it; elsewhere its flag is refused and its variable ignored. */
  readonly commands: readonly Command[];
  /** Name of the flag without dashes; without one, the variable's name in kebab-case. */
  readonly flag?: string;
  /** Ends the sentence "expected …". */
  readonly expected: string;
  readonly fallback: Value;
  /** The default in words, where the value alone says little. */
  readonly fallbackInWords?: string;
  readonly unit?: "ms" | "bytes";
  /** Whole sentence for someone who sees the option for the first time. */
  readonly description: string;
  /** Never shown, and never a flag's value, since command lines are visible to other users of the machine. */
  readonly secret?: true;
  /** Whether the flag alone means true, and `--no-…` false. */
  readonly isSwitch?: true;
  /** The value, or undefined for a text that is not acceptable. */
  readonly parse: (text: string) => Value | undefined;
}

/** What an option is besides its kind of value. */
export type About<Value> = Pick<Option<Value>, "section" | "description"> &
  Partial<Pick<Option<Value>, "commands" | "flag" | "fallbackInWords" | "unit" | "secret">>;

/** An option of any kind of value. */
export function option<Value>(
  about: About<Value> & Pick<Option<Value>, "expected" | "fallback" | "parse" | "isSwitch">,
): Option<Value> {
  return { commands: ["serve"], ...about };
}

/** The name of the flag for an environment variable: `AUTHENTIK_URL` is `--authentik-url`. */
export function flagOf(name: string, { flag }: Pick<Option<unknown>, "flag">): string {
  return `--${flag ?? name.toLowerCase().replaceAll("_", "-")}`;
}
