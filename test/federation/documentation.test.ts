import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { send } from "./support/compare.ts";
import { compose, composeSupergraph } from "./support/composition.ts";
import { freePort, packageFolder, startScript } from "./support/processes.ts";
import { startSubgraph } from "./support/subgraph.ts";

const page = fileURLToPath(new URL("../../docs/federation.md", import.meta.url));

/** The code block whose first line is the given comment. */
async function block(comment: string): Promise<string> {
  const text = await readFile(page, "utf8");
  const found = text.split(/^```.*$/m).find((part) => part.startsWith(`\n${comment}\n`));
  if (found === undefined) throw new Error(`docs/federation.md has no block that begins with ${comment}`);
  return found;
}

function ours(url: string): { name: string; url: string; sdl: string } {
  const sdl = printSchema(createSchema({ federationLinkUrl: FEDERATION_LINK_URL }));
  return { name: "authentik", url, sdl };
}

describe("docs/federation.md", () => {
  it("names the versions that the tests run with", async () => {
    const text = await readFile(page, "utf8");
    const manifest = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    const rows = [...text.matchAll(/^\| (@[^ ]+) +\| ([0-9.]+) +\|/gm)];
    expect(rows.length).toBe(7);
    for (const [, name = "", version] of rows)
      expect({ name, version: manifest.devDependencies[name] }).toEqual({ name, version });
  });

  it("shows subgraphs that compose with this one", async () => {
    const compositions = await compose([
      ours("http://authentik.example/graphql"),
      { name: "statistics", url: "http://statistics.example/", sdl: await block("# watch statistics") },
      { name: "history", url: "http://history.example/", sdl: await block("# play history") },
      { name: "people", url: "http://people.example/", sdl: await block("# people") },
    ]);
    for (const { errors, hints } of Object.values(compositions))
      expect({ errors, hints }).toEqual({ errors: [], hints: [] });
  });

  it("configures Hive Gateway so that authentik knows the caller", async () => {
    const authentik = await startFakeAuthentik();
    const schema = createSchema({ federationLinkUrl: FEDERATION_LINK_URL });
    const subgraph = await startSubgraph(schema, { authentikUrl: authentik.url });
    const folder = temporaryFolder();
    await writeFile(join(folder, "supergraph.graphql"), await composeSupergraph([ours(subgraph.url)]));
    await writeFile(join(folder, "gateway.config.mjs"), await block("// gateway.config.mjs"));
    await symlink(join(packageFolder, "node_modules"), join(folder, "node_modules"));
    const port = await freePort();
    const router = await startScript(
      join(packageFolder, "node_modules/@graphql-hive/gateway/dist/bin.js"),
      ["supergraph", "--config-path", "gateway.config.mjs", "--port", String(port), "--host", "127.0.0.1"],
      {},
      { cwd: folder },
    );
    const url = `http://127.0.0.1:${port}/graphql`;
    const query = "{ plexConnection(id: 5) { user } }";
    expect(await send(url, { query }, "Bearer token-of-alice")).toEqual({
      data: { plexConnection: { user: 1005 } },
    });
    expect(await send(url, { query }, null)).toMatchObject({
      errors: [{ extensions: { code: "UNAUTHENTICATED" } }],
    });
    const told = authentik.requests.flatMap(({ headers }) =>
      headers.filter(([name]) => /^authorization$/i.test(name)),
    );
    expect(told.map(([, value]) => value)).toEqual(["Bearer token-of-alice"]);
    await router.stop();
    await subgraph.stop();
    await authentik.close();
  });
});
