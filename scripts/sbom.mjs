// The list of what is in the build, as CycloneDX: npm's list of all that the lock file names, cut down to what was bundled.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * Writes the SBOM of a build.
 * @param {string} file where to
 * @param {{ root: string, bundled: string[], prebuilt: string[] }} options folders of the packages that were bundled,
 *   and of those whose own prebuilt files were copied: these hold what they depend on, which is listed with them
 */
export async function writeSbom(file, { root, bundled, prebuilt }) {
  const command = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx", "--sbom-type=application"];
  const shell = process.platform === "win32";
  const { stdout } = await promisify(execFile)("npm", command, { cwd: root, shell, maxBuffer: 2 ** 26 });
  const { $schema, bomFormat, specVersion, version, metadata, components, dependencies } = JSON.parse(stdout);
  const product = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

  const dependsOn = new Map(dependencies.map((entry) => [entry.ref, entry.dependsOn ?? []]));
  const inside = new Set(await Promise.all(bundled.map(reference)));
  const add = (name) => {
    if (inside.has(name)) return;
    inside.add(name);
    for (const next of dependsOn.get(name) ?? []) add(next);
  };
  for (const name of await Promise.all(prebuilt.map(reference))) add(name);

  const missing = [...inside].filter((name) => !dependsOn.has(name));
  if (missing.length > 0) throw new Error(`npm sbom does not know ${missing.join(", ")}`);
  const self = metadata.component["bom-ref"];
  const sbom = {
    $schema,
    bomFormat,
    specVersion,
    version,
    // Neither a time nor a serial number, so that the same source gives the same bytes; npm names the folder.
    metadata: { tools: metadata.tools, component: { ...metadata.component, name: product.name } },
    // To npm they are what development needs: it knows nothing of the bundle.
    components: components
      .filter((component) => inside.has(component["bom-ref"]))
      .map((component) => ({ ...component, scope: "required", properties: [] })),
    dependencies: [
      { ref: self, dependsOn: [...inside].sort() },
      ...[...inside].sort().map((ref) => ({
        ref,
        dependsOn: dependsOn.get(ref).filter((name) => inside.has(name)),
      })),
    ],
  };
  await writeFile(file, `${JSON.stringify(sbom, null, 2)}\n`);
}

async function reference(folder) {
  const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  return `${name}@${version}`;
}
