import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** One file that the page loads, as it is kept in memory: compressed only. */
export interface PageFile {
  /** Changes with the content, so that browsers may keep the file for ever: `graphiql-0123456789abcdef.js`. */
  name: string;
  kind: "script" | "module" | "style";
  gzipped: Buffer;
}

interface FileOrigin {
  name: string;
  kind: PageFile["kind"];
  /** Where the file comes from when this is not a build: a package that is installed for development only. */
  origin?: { package: string; path: string };
}

/** In the order in which they must run. The build puts all of them into `browser/` beside this file. */
const FILES: readonly FileOrigin[] = [
  {
    name: "react.js",
    kind: "script",
    origin: { package: "react", path: "umd/react.production.min.js" },
  },
  {
    name: "react-dom.js",
    kind: "script",
    origin: { package: "react-dom", path: "umd/react-dom.production.min.js" },
  },
  { name: "graphiql.js", kind: "script", origin: { package: "graphiql", path: "graphiql.min.js" } },
  { name: "start.js", kind: "module" },
  { name: "graphiql.css", kind: "style", origin: { package: "graphiql", path: "graphiql.min.css" } },
  { name: "page.css", kind: "style" },
];

/**
 * Reads and compresses what the page loads.
 * @throws {Error} when a file is missing, which a complete build rules out
 */
export async function loadPageFiles(): Promise<readonly PageFile[]> {
  return Promise.all(
    FILES.map(async (file) => {
      const content = await readPageFile(file);
      const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
      return {
        name: file.name.replace(".", `-${hash}.`),
        kind: file.kind,
        gzipped: await promisify(gzip)(content),
      };
    }),
  );
}

async function readPageFile({ name, origin }: FileOrigin): Promise<Buffer> {
  try {
    return await readFile(new URL(`./browser/${name}`, import.meta.url));
  } catch (error) {
    if (!origin) throw error;
    // The packages export no such path, but they all export their package.json.
    const manifest = createRequire(import.meta.url).resolve(`${origin.package}/package.json`);
    return readFile(join(dirname(manifest), origin.path));
  }
}
