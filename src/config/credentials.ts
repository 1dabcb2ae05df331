import type { Credentials } from "../server/credentials.ts";
import { options, type Values } from "./options.ts";
import type { ConfigProblem } from "./problem.ts";

/** Reads a text file. @throws {Error} with a `code` such as ENOENT */
export type ReadFile = (path: string) => string;

/** Whose credentials authentik is shown, and every reason why that cannot be told. */
export function readCredentials(
  values: Values,
  readFile: ReadFile,
): { credentials: Credentials; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const secret = (name: "AUTHENTIK_TOKEN" | "GATEWAY_KEY"): string | null => {
    const path = values[`${name}_FILE`];
    if (path === null) return values[name];
    if (values[name] !== null) problems.push({ name, expected: `only one of ${name} and ${name}_FILE` });
    const content = readTextFile(path, `${name}_FILE`, readFile, problems)?.trim();
    if (content === undefined) return null;
    const { expected, parse } = options[name];
    const value = parse(content);
    if (value === undefined)
      problems.push({ name: `${name}_FILE`, given: "a file", expected: `one with ${expected}` });
    return value ?? null;
  };
  const authentikToken = secret("AUTHENTIK_TOKEN");
  const gatewayKey = secret("GATEWAY_KEY");
  const tokenGiven = authentikToken !== null || values.AUTHENTIK_TOKEN_FILE !== null;
  const keyGiven = gatewayKey !== null || values.GATEWAY_KEY_FILE !== null;
  problems.push(...contradictions({ tokenGiven, keyGiven, open: values.OPEN_ACCESS }));
  if (authentikToken === null) return { credentials: { mode: "caller" }, problems };
  return { credentials: { mode: "service", authentikToken, gatewayKey }, problems };
}

/** Reads a file whose path was configured; a file that cannot be read is a problem with the reason's code. */
export function readTextFile(
  path: string,
  name: string,
  readFile: ReadFile,
  problems: ConfigProblem[],
): string | undefined {
  try {
    return readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    problems.push({
      name,
      given: `${JSON.stringify(path)} (${code})`,
      expected: "the path of a readable file",
    });
    return undefined;
  }
}

function contradictions(given: { tokenGiven: boolean; keyGiven: boolean; open: boolean }): ConfigProblem[] {
  const { tokenGiven, keyGiven, open } = given;
  if (!tokenGiven && keyGiven) {
    return [
      { name: "GATEWAY_KEY", expected: "AUTHENTIK_TOKEN with it: without a token callers show their own" },
    ];
  }
  if (!tokenGiven && open) {
    return [
      { name: "OPEN_ACCESS", expected: "AUTHENTIK_TOKEN with it: without a token callers show their own" },
    ];
  }
  if (tokenGiven && keyGiven && open) {
    return [
      {
        name: "OPEN_ACCESS",
        expected: "either OPEN_ACCESS or GATEWAY_KEY, since they contradict each other",
      },
    ];
  }
  if (tokenGiven && !keyGiven && !open) {
    return [
      {
        name: "GATEWAY_KEY",
        expected:
          "a key of at least 16 characters that callers must show, since AUTHENTIK_TOKEN speaks for all of them " +
          "(or OPEN_ACCESS=true to let everyone in)",
      },
    ];
  }
  return [];
}
