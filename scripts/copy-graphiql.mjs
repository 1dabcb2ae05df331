// Puts what GraphiQL loads in the browser into the build, with the licences of what is not ours, so that the packages
// it comes from are needed for development only.
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const own = new URL("../src/http/graphiql/browser/", import.meta.url);
const target = new URL("../dist/http/graphiql/browser/", import.meta.url);
const packages = {
  react: { "react.js": "umd/react.production.min.js", "react.LICENSE": "LICENSE" },
  "react-dom": { "react-dom.js": "umd/react-dom.production.min.js", "react-dom.LICENSE": "LICENSE" },
  graphiql: {
    "graphiql.js": "graphiql.min.js",
    "graphiql.css": "graphiql.min.css",
    "graphiql.LICENSE": "LICENSE",
  },
};

await mkdir(target, { recursive: true });
for (const name of await readdir(own)) await copyFile(new URL(name, own), new URL(name, target));
const require = createRequire(import.meta.url);
for (const [name, files] of Object.entries(packages)) {
  const folder = dirname(require.resolve(`${name}/package.json`));
  for (const [copy, path] of Object.entries(files)) await copyFile(join(folder, path), new URL(copy, target));
}
