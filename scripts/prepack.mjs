// What `npm pack` and `npm publish` run first: the build, from a clean clone too.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

if (!existsSync(new URL("../node_modules/rolldown", import.meta.url))) {
  // npm's own output goes to standard error: that of `npm pack` is the name of the package's file.
  const stdio = ["ignore", 2, 2];
  const shell = process.platform === "win32";
  // Whatever `npm pack` was told for the package is not meant for this.
  const command = ["ci", "--loglevel=error", "--no-dry-run", "--no-json", "--no-global"];
  const { status } = spawnSync("npm", command, { cwd: root, stdio, shell });
  if (status !== 0) process.exit(status ?? 1);
}
await import("./build.mjs");
