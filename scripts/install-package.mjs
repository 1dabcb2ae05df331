// node scripts/install-package.mjs FOLDER
// `npm ci` in a package that is kept apart from the product, unless what its lock file names is installed already.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2] ?? ".");
const stamp = join(folder, "node_modules", ".installed");
const lock = createHash("sha256")
  .update(readFileSync(join(folder, "package-lock.json")))
  .digest("hex");

if (installed() !== lock) {
  console.error(`Installing ${process.argv[2]} (once; its packages are kept apart from the product's) ...`);
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, lock);
}

function installed() {
  try {
    return readFileSync(stamp, "utf8");
  } catch {
    return "";
  }
}
