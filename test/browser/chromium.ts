import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

/** Chromiums of systems, tried in this order. */
const SYSTEM_PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Candidate {
  executablePath: string;
  env?: Record<string, string>;
}

/**
 * A real Chromium with a fresh profile: the system's, or the one that `@sparticuz/chromium` brings.
 * `TEST_CHROMIUM` names another executable, or `npm` for the latter.
 * @throws {Error} that says what was tried; tests must fail then, not pass over
 */
export async function launchChromium(): Promise<Browser> {
  const failures: string[] = [];
  for (const find of candidates(process.env["TEST_CHROMIUM"])) {
    try {
      const { executablePath, env } = await find();
      return await chromium.launch({
        executablePath,
        args: FLAGS,
        env: { ...process.env, ...env },
        timeout: 60_000,
      });
    } catch (error) {
      failures.push(String(error).split("\n", 3).join(" "));
    }
  }
  throw new Error(
    `No Chromium starts here. Install one, or set TEST_CHROMIUM to its path. Tried:\n${failures.join("\n")}`,
  );
}

function candidates(wanted = ""): (() => Promise<Candidate>)[] {
  if (wanted === "npm") return [fromNpm];
  return wanted === "" ? [...SYSTEM_PATHS.map(existing), fromNpm] : [existing(wanted)];
}

function existing(executablePath: string) {
  return async (): Promise<Candidate> => {
    await access(executablePath);
    return { executablePath };
  };
}

/** Chromium with the shared libraries and fonts that bare machines lack, unpacked once into `.tmp/chromium`. */
async function fromNpm(): Promise<Candidate> {
  const folder = join(ROOT, ".tmp", "chromium");
  const ready = await access(folder).then(
    () => true,
    () => false,
  );
  if (!ready) await unpack(folder);
  return {
    executablePath: join(folder, "chromium"),
    env: {
      LD_LIBRARY_PATH: join(folder, "al2023", "lib"),
      FONTCONFIG_FILE: join(folder, "fonts.conf"),
    },
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
