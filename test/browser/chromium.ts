import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

/** Chromiums of systems, tried in this order, and the one that npm brings. */
const CHROMIUMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "npm"];

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * A real Chromium with a fresh profile: the system's, or the one that `@sparticuz/chromium` brings.
 * `TEST_CHROMIUM` names another executable, or `npm` for the latter.
 * @throws {Error} that says what was tried; tests must fail then, not pass over
 */
export async function launchChromium(): Promise<Browser> {
  const wanted = process.env["TEST_CHROMIUM"];
  const failures: string[] = [];
  for (const path of wanted ? [wanted] : CHROMIUMS) {
    try {
      const { executablePath, env } = path === "npm" ? await fromNpm() : { executablePath: path, env: {} };
      const options = { args: ["--disable-gpu", "--disable-quic"], timeout: 60_000 };
      return await chromium.launch({ ...options, executablePath, env: { ...process.env, ...env } });
    } catch (error) {
      failures.push(String(error).split("\n", 3).join(" "));
    }
  }
  const tried = failures.join("\n");
  throw new Error(`No Chromium starts here. Install one, or set TEST_CHROMIUM to its path. Tried:\n${tried}`);
}

/** Chromium with the shared libraries and fonts that bare machines lack, unpacked once into `.tmp/chromium`. */
async function fromNpm() {
  const folder = join(ROOT, ".tmp", "chromium");
  if (!existsSync(folder)) await unpack(folder);
  return {
    executablePath: join(folder, "chromium"),
    env: { LD_LIBRARY_PATH: `${folder}/al2023/lib`, FONTCONFIG_FILE: `${folder}/fonts.conf` },
  };
}

async function unpack(folder: string) {
  const parent = join(folder, "..");
  await mkdir(parent, { recursive: true });
  const unfinished = await mkdtemp(join(parent, "chromium-"));
  // In a process of its own, since the package unpacks into TMPDIR, and its libraries on one kind of machine only.
  await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", 'await (await import("@sparticuz/chromium")).default.executablePath()'],
    { cwd: ROOT, env: { ...process.env, TMPDIR: unfinished, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" } },
  );
  await writeFile(
    join(unfinished, "fonts.conf"),
    `<fontconfig><dir>${join(folder, "fonts")}</dir><dir>/usr/share/fonts</dir><cachedir>${folder}/cache</cachedir></fontconfig>`,
  );
  // Another run may have been faster.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }));
}
