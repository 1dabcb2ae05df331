import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ask } from "../support/ask.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { testSchema } from "../support/schema.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { compose, COMPOSERS, composeSupergraph, ours, type Subgraph } from "./support/composition.ts";
import { freePort, packageFolder, startScript } from "./support/processes.ts";
import { startSubgraph } from "./support/subgraph.ts";

const page = await readFile(new URL("../../docs/federation.md", import.meta.url), "utf8");

/** The code block whose first line is the given comment. */
function block(comment: string): string {
  const found = page.split(/^```.*$/m).find((part) => part.startsWith(`\n${comment}\n`));
  if (found === undefined) throw new Error(`docs/federation.md has no block that begins with ${comment}`);
  return found;
}

describe("docs/federation.md", () => {
  it("names the versions that the tests run with", async () => {
    const manifest = await readFile(join(packageFolder, "package.json"), "utf8");
    const rows = [...page.matchAll(/^\| (@[^ ]+) +\| ([0-9.]+) +\|/gm)];
    expect(rows.length).toBe(7);
    for (const [, name, version] of rows) expect(manifest).toContain(`"${name}": "${version}"`);
  });

  it("shows subgraphs that compose with this one", async () => {
    const others = ["watch statistics", "play history", "people"].map((title): Subgraph => {
      const name = title.replace(" ", "-");
      return { name, url: `http://${name}.example/`, sdl: block(`# ${title}`) };
    });
    const compositions = await compose([ours(), ...others]);
    for (const composer of COMPOSERS) expect(compositions[composer]).toMatchObject({ errors: [], hints: [] });
  });

  it("configures Hive Gateway so that authentik knows the caller", async () => {
    const authentik = await startFakeAuthentik();
    onTestFinished(() => authentik.close());
    const subgraph = await startSubgraph("authentik", testSchema(), authentik.url);
    onTestFinished(subgraph.stop);
    const cwd = temporaryFolder();
    await writeFile(join(cwd, "supergraph.graphql"), await composeSupergraph([subgraph]));
    await writeFile(join(cwd, "gateway.config.mjs"), block("// gateway.config.mjs"));
    await symlink(join(packageFolder, "node_modules"), join(cwd, "node_modules"));
    const port = String(await freePort());
    const bin = join(packageFolder, "node_modules/@graphql-hive/gateway/dist/bin.js");
    const options = ["--config-path", "gateway.config.mjs", "--port", port, "--host", "127.0.0.1"];
    const router = await startScript([bin, "supergraph", ...options], { cwd });
    onTestFinished(router.stop);
    const url = new URL(`http://127.0.0.1:${port}`);
    const query = "{ plexConnection(id: 5) { user } }";
    const known = await ask(url, query, { authorization: "Bearer token-of-alice" });
    expect(known.result).toEqual({ data: { plexConnection: { user: 1005 } } });
    expect((await ask(url, query, { authorization: null })).codes).toEqual(["UNAUTHENTICATED"]);
    const told = authentik.requests.flatMap(({ headers }) =>
      headers.filter(([name]) => /^authorization$/i.test(name)),
    );
    expect(told.map(([, value]) => value)).toEqual(["Bearer token-of-alice"]);
  });
});
