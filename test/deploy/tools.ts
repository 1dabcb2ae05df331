import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where `.ci/install-tools` installs what is not Debian's. */
export const toolsFolder = `${root}.tmp/tools`;

const folders = [
  `${toolsFolder}/bin`,
  `${toolsFolder}/node_modules/.bin`,
  ...(process.env["PATH"] ?? "").split(delimiter),
  "/usr/sbin",
];

/** Whether a test that uses these programs is skipped: they are missing, and this is not CI, where they must not be. */
export function lacks(...programs: readonly string[]): boolean {
  return process.env["CI"] === undefined && programs.some((program) => pathOf(program) === undefined);
}

/** Where a program is that `.ci/install-tools` installs. @throws {Error} when it is missing */
export function tool(program: string): string {
  const path = pathOf(program);
  if (path === undefined) throw new Error(`${program} is missing: .ci/install-tools installs it`);
  return path;
}

function pathOf(program: string): string | undefined {
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** Runs a program in the root of the repository. @throws {Error} with all that it printed, when it fails */
export async function run(program: string, ...command: readonly string[]): Promise<string> {
  try {
    const options = { cwd: root, maxBuffer: 2 ** 26 };
    const { stdout } = await promisify(execFile)(tool(program), command, options);
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string }; // as execFile rejects
    throw new Error(`${program} ${command.join(" ")}\n${stdout}${stderr}`, { cause: error });
  }
}

/** A file that the end of the test removes. */
export function temporaryFile(name: string, content: string): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

/** As package.json names it. */
export const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { version: string }; // npm's own file
