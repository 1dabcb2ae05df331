import { execFile } from "node:child_process";
import { cpSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { startProcess } from "../process/cli.ts";
import { ask } from "../support/ask.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
/** Packages have many files, and a busy machine takes its time. */
const REMOVAL_MS = 300_000;

/** A folder that the end of the test removes. */
export function emptyFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `authentik-graphql-${name}-`));
  onTestFinished(() => rm(folder, { recursive: true, force: true }), REMOVAL_MS);
  return folder;
}

/** Copies what git knows of, as it is now, into an empty folder: a clone with what is not committed yet. */
export async function cleanClone(): Promise<string> {
  const folder = emptyFolder("clone");
  const command = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const { stdout } = await run("git", command, { cwd: root });
  for (const path of stdout.split("\0").filter((name) => name !== ""))
    cpSync(join(root, path), join(folder, path), { force: true });
  return folder;
}

/** Runs npm with nothing that the npm around the tests was told, but where packages come from. */
export function npm(cwd: string, ...command: string[]): Promise<{ stdout: string; stderr: string }> {
  const variables = Object.entries(process.env).filter(([name]) => !/^npm_(?!config_registry$)/i.test(name));
  return run("npm", command, { cwd, env: Object.fromEntries(variables) });
}

/** Packs a clone, or what is here. Returns the path of the package. */
export async function pack(clone = root): Promise<string> {
  const folder = emptyFolder("package");
  const { stdout } = await npm(clone, "pack", "--silent", "--pack-destination", folder);
  return join(folder, stdout.trim());
}

/** Installs a package as `npm i -g` does, below a folder of its own. Returns the path of its command. */
export async function installGlobally(archive: string): Promise<string> {
  const prefix = emptyFolder("prefix");
  await npm(prefix, "install", "--global", "--prefix", prefix, "--offline", archive);
  return join(prefix, "bin/authentik-graphql");
}

/** Starts the installed command in an empty folder with this Node. Returns the URL of the graph. */
export function startInstalled(command: string, node = process.execPath): Promise<URL> {
  const cwd = emptyFolder("cwd");
  const { url, stop } = startProcess(node, [command, "--port=0", "--log-format=pretty"], { cwd });
  onTestFinished(stop);
  return url();
}

/** Asks it for a connection of the sandbox. */
export async function askInstalled(command: string, node?: string): Promise<unknown> {
  const query = "{ plexConnection(id: 5) { identifier source { name } } }";
  return (await ask(await startInstalled(command, node), query)).result;
}
