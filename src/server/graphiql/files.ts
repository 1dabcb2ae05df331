import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/**
 * In the order in which they must run. The build puts all of them into `browser/` beside this file; without a build,
 * those of packages, which are installed for development only, are found where the package has them.
 */
const FILES: readonly {
  name: string;
  kind: "script" | "module" | "style";
  package?: string;
  path?: string;
}[] = [
  { name: "react.js", kind: "script", package: "react", path: "umd/react.production.min.js" },
  { name: "react-dom.js", kind: "script", package: "react-dom", path: "umd/react-dom.production.min.js" },
  { name: "graphiql.js", kind: "script", package: "graphiql", path: "graphiql.min.js" },
  { name: "start.js", kind: "module" },
  { name: "graphiql.css", kind: "style", package: "graphiql", path: "graphiql.min.css" },
  { name: "page.css", kind: "style" },
];

/** One file that the page loads. */
export type PageFile = Awaited<ReturnType<typeof loadPageFiles>>[number];

/**
 * Reads what the page loads and keeps it in both encodings, so that serving it costs no work.
 * @throws {Error} when a file is missing, which a complete build rules out
 */
export function loadPageFiles() {
  return Promise.all(
    FILES.map(async (file) => {
      const content = await readPageFile(file);
      const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
      return {
        /** Changes with the content, so that browsers may keep the file for ever: `graphiql-0123456789abcdef.js`. */
        name: file.name.replace(".", `-${hash}.`),
        kind: file.kind,
        etag: `"${hash}"`,
        content,
        gzipped: await promisify(gzip)(content),
      };
    }),
  );
}

async function readPageFile({ name, package: origin, path = name }: (typeof FILES)[number]): Promise<Buffer> {
  try {
    return await readFile(new URL(`./browser/${name}`, import.meta.url));
  } catch (error) {
    if (origin === undefined) throw error;
    // The packages export no such path, but they all export their package.json.
    const manifest = createRequire(import.meta.url).resolve(`${origin}/package.json`);
    return readFile(join(dirname(manifest), path));
  }
}
