import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compose, COMPOSERS, ours, type Subgraph } from "./support/composition.ts";
import { documented, packageFolder } from "./support/processes.ts";

// What it shows of Hive Gateway's configuration is what the routers' tests run.
describe("docs/federation.md", () => {
  it("names the versions that the tests run with", async () => {
    const page = await readFile(new URL("../../docs/federation.md", import.meta.url), "utf8");
    const manifest = await readFile(join(packageFolder, "package.json"), "utf8");
    const rows = [...page.matchAll(/^\| (@[^ ]+) +\| ([0-9.]+) +\|/gm)];
    expect(rows.length).toBe(7);
    for (const [, name, version] of rows) expect(manifest).toContain(`"${name}": "${version}"`);
  });

  it("shows subgraphs that compose with this one", async () => {
    const others = ["watch statistics", "play history", "people"].map((title): Subgraph => {
      const name = title.replace(" ", "-");
      return { name, url: `http://${name}.example/`, sdl: documented(`# ${title}`) };
    });
    const compositions = await compose([ours(), ...others]);
    for (const composer of COMPOSERS) expect(compositions[composer]).toMatchObject({ errors: [], hints: [] });
  });
});
