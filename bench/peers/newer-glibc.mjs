/**
 * Tailcall's binary wants a newer glibc than Debian 12 has. Where that is so and apt is there, the libraries of
 * Debian 13 are unpacked beside the benchmark, for this one program; nothing is installed.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @param {string} folder where to unpack
 * @returns {string} the folder with the libraries and their loader
 * @throws when there is no apt, no dpkg-deb or no network
 */
export function newerGlibc(folder) {
  const libraries = join(folder, "root/usr/lib/x86_64-linux-gnu");
  if (existsSync(libraries)) return libraries;
  mkdirSync(join(folder, "state/lists/partial"), { recursive: true });
  mkdirSync(join(folder, "cache/archives/partial"), { recursive: true });
  const sources = join(folder, "trixie.sources");
  writeFileSync(
    sources,
    [
      "Types: deb",
      "URIs: http://deb.debian.org/debian",
      "Suites: trixie",
      "Components: main",
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "",
    ].join("\n"),
  );
  const settings = {
    "Dir::State": join(folder, "state"),
    "Dir::Cache": join(folder, "cache"),
    "Dir::Etc::SourceList": sources,
    "Dir::Etc::SourceParts": "/dev/null",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const run = (program, args) =>
    execFileSync(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"], timeout: 60_000 });
  run("apt-get", [...options, "update"]);
  run("apt-get", [...options, "download", "libc6", "libgcc-s1"]);
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".deb")))
    run("dpkg-deb", ["-x", name, "root"]);
  return libraries;
}
