import type { Arguments } from "./arguments.ts";
import { optionEntries, type Values } from "./options.ts";
import { type ConfigProblem, presentable } from "./problem.ts";

/**
 * The value of every option: the flag's, else the variable's, else the default.
 * An empty variable counts as not set, as compose files write it so. Options of other commands keep their defaults.
 */
export function readValues(
  { command, flags }: Arguments,
  env: Readonly<Record<string, string | undefined>>,
): { values: Values; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, option] of optionEntries()) {
    const variable = option.commands.includes(command) ? env[name] : undefined;
    const given = flags.get(name) ?? (variable ? { flag: name, text: variable } : undefined);
    const value = given === undefined ? undefined : option.parse(given.text);
    if (given !== undefined && value === undefined) {
      const shown = option.secret === true ? "a secret that is not shown" : presentable(given.text);
      problems.push({ name: given.flag, given: shown, expected: option.expected });
    }
    values[name] = value ?? option.fallback;
  }
  if (!areComplete(values)) throw new TypeError("an option has no value");
  return { values, problems };
}

/** Each value came from its name's own option, so that its kind is right whenever it is there. */
function areComplete(values: Record<string, unknown>): values is Values {
  return optionEntries().every(([name]) => values[name] !== undefined);
}
