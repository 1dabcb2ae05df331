/**
 * `npm run bench [-- --quick]` on a clean clone: installs and builds what is missing, then measures.
 * Nothing here needs a dependency.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const bench = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} what @param {string} folder @param {string[]} args of npm */
function npm(what, folder, args) {
  process.stdout.write(`${what} …\n`);
  execFileSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

function gatewayIsInstalled() {
  try {
    return createRequire(`${root}package.json`).resolve("graphql") !== "";
  } catch {
    return false;
  }
}

const quietly = ["--no-audit", "--no-fund", "--loglevel=error"];
if (!gatewayIsInstalled()) npm("installing the gateway's dependencies", root, ["ci", ...quietly]);
npm("building the gateway", root, ["run", "--silent", "build"]);
if (!existsSync(`${bench}node_modules`))
  npm("installing the peers (some 650 MB, about a minute)", bench, ["ci", ...quietly]);
await import("./main.mjs");
