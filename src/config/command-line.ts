import { parseArgs } from "node:util";
import { closestMatch } from "leven";
import { shortened } from "../authentik/decoders.ts";
import { type Command, commands, flagOf, isReadBy } from "./option.ts";
import { options } from "./options.ts";

/** One thing that is wrong with the configuration, for the person who wrote it. */
export interface ConfigProblem {
  /** As it was written: `PORT`, `--port`, or the argument itself. */
  readonly name: string;
  /** The value, fit to be shown; absent where it is secret or missing. */
  readonly given?: string;
  /** What would be right, as the end of "expected …". */
  readonly expected: string;
}

/** The command line, taken apart but not yet judged by value. */
export interface Arguments {
  readonly command: Command;
  /** Given texts by the name of the option; the last one wins. A flag without its value has the text "". */
  readonly flags: ReadonlyMap<string, { flag: string; text: string }>;
  /** Given flags of `EXTRAS`. */
  readonly extras: ReadonlySet<string>;
  readonly problems: readonly ConfigProblem[];
}

/** Flags of one command that are no options: `schema` prints the graph without federation, `help` the README's table. */
const EXTRAS: Readonly<Partial<Record<Command, string>>> = { schema: "--api", help: "--markdown" };

const SHORTCUTS: Readonly<Record<string, Command>> = {
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-v": "version",
};

/** Takes the command line apart: `[command] [--name value | --name=value | --switch | --no-switch]…`. */
export function parseArguments(argv: readonly string[]): Arguments {
  const flags = new Map<string, { flag: string; text: string }>();
  const extras = new Set<string>();
  const problems: ConfigProblem[] = [];
  const shortcut = argv.map((word) => SHORTCUTS[word]).find((command) => command !== undefined);
  if (shortcut !== undefined) return { command: shortcut, flags, extras, problems };

  const [first = ""] = argv;
  const named = /^[^-]/.test(first);
  const command = named ? commands.find((known) => known === first) : "serve";
  if (command === undefined) {
    problems.push({ name: `command ${presentable(first)}`, expected: knownOrGuess(first, commands) });
    return { command: "help", flags, extras, problems };
  }
  const known = knownFlags(command);
  const { tokens } = parseArgs({
    args: argv.slice(named ? 1 : 0),
    options: Object.fromEntries([...known].map(([flag, { type }]) => [flag.slice(2), { type }])),
    strict: false,
    tokens: true,
  });
  let mayBeSecret = false;
  for (const token of tokens) {
    const afterUnknown = mayBeSecret;
    mayBeSecret = false;
    if (token.kind !== "option") {
      const word = token.kind === "positional" ? token.value : "--";
      if (afterUnknown) continue;
      problems.push({ name: `argument ${presentable(word)}`, expected: "only options after the command" });
      continue;
    }
    const { rawName: flag, value } = token;
    const found = known.get(flag);
    if (found === undefined) {
      mayBeSecret = value === undefined;
      const name = presentable(flag).slice(1, -1);
      problems.push({ name, expected: knownOrGuess(flag, [...known.keys()]) });
    } else if (found.problem !== undefined) problems.push({ name: flag, expected: found.problem });
    else if ((found.name === undefined || found.alone === "false") && value !== undefined) {
      const meaning = found.name === undefined ? "asks for it" : "switches it off";
      problems.push({ name: flag, expected: `no value: the flag alone ${meaning}` });
    } else if (found.name === undefined) extras.add(flag);
    else flags.set(found.name, { flag, text: value ?? found.alone ?? "" });
  }
  return { command, flags, extras, problems };
}

interface KnownFlag {
  readonly type: "string" | "boolean";
  /** Of the option; absent for an extra. */
  readonly name?: string;
  /** What a switch stands for when it has no value. */
  readonly alone?: "true" | "false";
  /** Why nobody may use it, as the end of "expected …". */
  readonly problem?: string;
}

function knownFlags(command: Command): ReadonlyMap<string, KnownFlag> {
  const known = new Map<string, KnownFlag>();
  const extra = EXTRAS[command];
  if (extra !== undefined) known.set(extra, { type: "boolean" });
  for (const [name, option] of options) {
    if (!isReadBy(command, option)) continue;
    const flag = flagOf(name, option);
    if (option.isSwitch === true) {
      known.set(flag, { type: "boolean", name, alone: "true" });
      known.set(flag.replace("--", "--no-"), { type: "boolean", name, alone: "false" });
    } else if (option.secret === true) {
      const problem = `the secret in the environment (${name}) or in a file (${flag}-file), since other users of the machine can read command lines`;
      known.set(flag, { type: "string", problem });
    } else known.set(flag, { type: "string", name });
  }
  return known;
}

function knownOrGuess(given: string, known: readonly string[]): string {
  const guess = closestMatch(given, known, { maxDistance: Math.max(2, given.length / 4) });
  if (guess !== undefined) return `a known one; did you mean ${guess}?`;
  return known === commands ? `one of ${known.join(", ")}` : "a known option (--help lists them)";
}

/** A given text as it may be shown: without what a URL may hide, on one line, not endless. */
export function presentable(given: string): string {
  const harmless = given
    .replace(/\/\/[^/]*@/, "//…@")
    .replace(/\?.*$/s, "?…")
    .replace(/#.*$/s, "#…");
  return JSON.stringify(shortened(harmless, 100));
}
