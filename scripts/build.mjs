// Builds the command line into dist/: the gateway with everything it needs in a few files, since finding and loading some
// 400 files of its packages takes longer than all else at the start. What the first operation does without is in files
// of its own, loaded when it is needed. Beside them lie GraphiQL's files for the browser, the licences of all, the SBOM.
import { existsSync, readdirSync, statSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { writeSbom } from "./sbom.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const require = createRequire(import.meta.url);

const BROWSER_FILES = {
  react: { "react.js": "umd/react.production.min.js" },
  "react-dom": { "react-dom.js": "umd/react-dom.production.min.js" },
  graphiql: { "graphiql.js": "graphiql.min.js", "graphiql.css": "graphiql.min.css" },
};

/** Whatever the build depends on; the last is written whenever packages are installed. */
const INPUTS = ["src", "scripts", "package.json", "node_modules/.package-lock.json"];

function newestMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/**
 * Pothos prints the SDL at every start. `createSchema` prints its own, once somebody asks for it, so that the printer,
 * which is as large as all of graphql-js, need not be loaded for that.
 */
const withoutEarlySdl = {
  name: "without-early-sdl",
  resolveId: (id, importer) =>
    id === "@apollo/subgraph" && importer.includes("/@pothos/plugin-federation/") ? `\0${id}` : null,
  load: (id) => (id === "\0@apollo/subgraph" ? 'export const printSubgraphSchema = () => "";' : null),
};

/** Bundles the command line. Returns the folders of the packages that went into it. */
async function bundle() {
  const build = await rolldown({
    input: join(root, "src/main.ts"),
    platform: "node",
    plugins: [withoutEarlySdl],
    resolve: { alias: { undici$: join(root, "scripts/undici.mjs") } },
    // graphql-js otherwise looks for a second copy of itself at every check of a type.
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
  });
  const { output } = await build.write({ dir: dist, format: "esm", entryFileNames: "[name].js" });
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
  const folders = modules.map((id) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1]);
  return [...new Set(folders.filter((folder) => folder !== undefined))];
}

async function copyBrowserFiles() {
  const target = join(dist, "browser");
  const own = join(root, "src/server/graphiql/browser");
  await mkdir(target, { recursive: true });
  for (const name of await readdir(own)) await copyFile(join(own, name), join(target, name));
  const folders = [];
  for (const [name, files] of Object.entries(BROWSER_FILES)) {
    const folder = dirname(require.resolve(`${name}/package.json`));
    folders.push(folder);
    for (const [copy, path] of Object.entries(files)) await copyFile(join(folder, path), join(target, copy));
  }
  return folders;
}

async function writeLicences(folders) {
  const texts = await Promise.all(
    folders.map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? "" : await readFile(join(folder, file), "utf8");
      return `${name} ${version} (${license})\n\n${text.trim()}\n`;
    }),
  );
  await writeFile(
    join(dist, "LICENCES.txt"),
    texts.sort((a, b) => a.localeCompare(b)).join(`\n${"-".repeat(80)}\n\n`),
  );
}

const main = join(dist, "main.js");
const newestInput = Math.max(...INPUTS.map((path) => newestMs(join(root, path))));
if (!existsSync(main) || newestMs(join(dist, "LICENCES.txt")) < newestInput) {
  await rm(dist, { recursive: true, force: true });
  const bundled = await bundle();
  const prebuilt = await copyBrowserFiles();
  await writeSbom(join(dist, "sbom.cdx.json"), { root, bundled, prebuilt });
  // Last: what is newer than this file is not in the build yet.
  await writeLicences([...bundled, ...prebuilt]);
}
