import { type Command, flagOf, type Option } from "./option.ts";
import { optionEntries } from "./options.ts";
import { type ConfigProblem, presentable } from "./problem.ts";
import { suggestion } from "./suggestion.ts";

/** The command line, taken apart but not yet judged by value. */
export interface Arguments {
  readonly command: Command;
  /** Whether `help` was asked for the table of the README. */
  readonly markdown: boolean;
  /** Given texts by the name of the option; the last one wins. */
  readonly flags: ReadonlyMap<string, { flag: string; text: string }>;
  readonly problems: readonly ConfigProblem[];
}

const commands = ["serve", "sandbox", "schema", "help", "version"] as const;
const shortcuts: Readonly<Record<string, Command>> = {
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-v": "version",
};

/** Takes the command line apart: `[command] [--name value | --name=value | --switch | --no-switch]…`. */
export function parseArguments(argv: readonly string[]): Arguments {
  const shortcut = argv.map((word) => shortcuts[word]).find((command) => command !== undefined);
  if (shortcut !== undefined) return { command: shortcut, markdown: false, flags: new Map(), problems: [] };

  const first = argv[0];
  const named = first !== undefined && !first.startsWith("-");
  const command = named ? commands.find((known) => known === first) : "serve";
  if (command === undefined) {
    const problem = {
      name: `command ${presentable(first ?? "")}`,
      expected: oneOfWithGuess(first ?? "", commands),
    };
    return { command: "help", markdown: false, flags: new Map(), problems: [problem] };
  }
  const words = argv.slice(named ? 1 : 0);
  if (command === "help") {
    return { command, markdown: words.includes("--markdown"), flags: new Map(), problems: [] };
  }
  return { command, markdown: false, ...parseFlags(words, command) };
}

function parseFlags(words: readonly string[], command: Command): Pick<Arguments, "flags" | "problems"> {
  const known = knownFlags(command);
  const flags = new Map<string, { flag: string; text: string }>();
  const problems: ConfigProblem[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const equals = word.indexOf("=");
    const flag = equals === -1 ? word : word.slice(0, equals);
    const attached = equals === -1 ? undefined : word.slice(equals + 1);
    const found = known.get(flag);
    if (!word.startsWith("--")) {
      problems.push({ name: `argument ${presentable(word)}`, expected: "only options after the command" });
    } else if (found === undefined) {
      problems.push({
        name: presentable(flag).slice(1, -1),
        expected: oneOfWithGuess(flag, [...known.keys()]),
      });
      if (attached === undefined && words[index + 1]?.startsWith("-") === false) index += 1;
    } else if (found.switchedTo !== undefined && attached === undefined) {
      flags.set(found.name, { flag, text: String(found.switchedTo) });
    } else {
      const next = attached ?? words[(index += 1)];
      if (found.option.secret === true) problems.push(secretOnCommandLine(flag, found.name));
      else if (next === undefined || next === "")
        problems.push({ name: flag, expected: found.option.expected });
      else flags.set(found.name, { flag, text: next });
    }
  }
  return { flags, problems };
}

interface KnownFlag {
  name: string;
  option: Option<unknown>;
  /** The value that the flag alone stands for. */
  switchedTo?: boolean;
}

function knownFlags(command: Command): ReadonlyMap<string, KnownFlag> {
  const known = new Map<string, KnownFlag>();
  for (const [name, option] of optionEntries()) {
    if (!option.commands.includes(command)) continue;
    const flag = flagOf(name, option);
    known.set(flag, { name, option, ...(option.isSwitch === true && { switchedTo: true }) });
    if (option.isSwitch === true) known.set(flag.replace("--", "--no-"), { name, option, switchedTo: false });
  }
  return known;
}

function secretOnCommandLine(flag: string, name: string): ConfigProblem {
  return {
    name: flag,
    expected: `the secret in the environment (${name}) or in a file (${flag}-file), since other users of the machine can read command lines`,
  };
}

function oneOfWithGuess(given: string, known: readonly string[]): string {
  const guess = suggestion(given, known);
  if (guess !== undefined) return `a known one; did you mean ${guess}?`;
  return known.length > 5 ? "a known option (--help lists them)" : `one of ${known.join(", ")}`;
}
