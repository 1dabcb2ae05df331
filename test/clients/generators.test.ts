import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { printApiSchema } from "../../src/graphql/print.ts";
import { testSchema } from "../support/schema.ts";
import { ONE } from "./programs/operations.mjs";
import { packageFolder, run as runCommand, runClient } from "./support.ts";

const cache = join(packageFolder, ".cache");
const root = createRequire(new URL("../../package.json", import.meta.url));
const tsc = join(dirname(root.resolve("typescript/package.json")), "bin/tsc");

const run = (args: readonly string[], cwd?: string) => runCommand(process.execPath, args, cwd);

const tagged = (text: string): string => `graphql\`${text}\`;\n`;

async function write(folder: string, files: Record<string, string>): Promise<void> {
  await rm(join(cache, folder), { recursive: true, force: true });
  await mkdir(join(cache, folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(cache, folder, name), text);
}

describe("what `authentik-graphql schema --api` prints is enough for", () => {
  beforeAll(async () => {
    await mkdir(cache, { recursive: true });
    await writeFile(join(cache, "schema.graphql"), printApiSchema(testSchema()));
  });

  it("graphql-codegen, whose types tell right from wrong", async () => {
    await write("codegen", {
      "operations.graphql": ONE,
      "codegen.json": JSON.stringify({
        schema: ".cache/schema.graphql",
        documents: ".cache/codegen/operations.graphql",
        generates: {
          ".cache/codegen/types.ts": {
            plugins: ["typescript", "typescript-operations"],
            config: { scalars: { DateTime: "string", UUID: "string" } },
          },
        },
      }),
      "use.ts": `import type { OneQuery, OneQueryVariables } from "./types.ts";
export const variables: OneQueryVariables = { id: 7 };
export const none: OneQuery = { plexConnection: null };
export const one: OneQuery = { plexConnection: { identifier: "70000007", user: 1007 } };
// @ts-expect-error -- the number of a user is no text
export const wrong: OneQuery = { plexConnection: { identifier: "70000007", user: "1007" } };
`,
    });
    const cli = "node_modules/@graphql-codegen/cli/esm/bin.js";
    await run([cli, "--config", ".cache/codegen/codegen.json"]);
    const strict = ["--noEmit", "--strict", "--skipLibCheck", "--allowImportingTsExtensions"];
    const file = ".cache/codegen/use.ts";
    expect(await run([tsc, "--ignoreConfig", ...strict, "--module", "esnext", file])).toBe("");
  });

  it("relay-compiler, whose queries are answered in the body of react-relay-network-modern", async () => {
    await write("relay", {
      "schema.graphql": printApiSchema(testSchema()),
      "one.js": tagged(ONE.replace("One", "oneQuery")),
      "siblings.js": tagged(
        'query siblingsQuery { a: plexConnection(id: 5) { user } bad: plexConnection(id: "abc") { user } }',
      ),
      "relay.config.json":
        '{ "src": ".", "schema": "schema.graphql", "language": "javascript", "eagerEsModules": true }',
    });
    await run([join(packageFolder, "node_modules/relay-compiler/cli.js")], join(cache, "relay"));
    const outcome = await runClient("relay.mjs");
    // Relay's compiler asks for every object's id as well.
    expect(outcome).toEqual({
      one: { plexConnection: { id: "7", identifier: "70000007", user: 1007 } },
      siblings: { a: { id: "5", user: 1005 }, bad: null },
      codes: ["bad BAD_USER_INPUT"],
      sent: ["POST query 200", "POST query 200"],
      asked: ["7", "5"],
    });
  });

  it("genql, whose client is answered", async () => {
    await write("genql", {});
    const args = ["--schema", ".cache/schema.graphql", "--output", ".cache/genql"];
    await run(["node_modules/@genql/cli/dist/cli.js", ...args]);
    const outcome = await runClient("genql.mjs", { command: [process.execPath, "--import", "tsx"] });
    expect(outcome).toEqual({
      one: { plexConnection: { identifier: "70000007", user: 1007 } },
      siblings: { plexConnection: null, plexConnections: { nodes: [{ user: 1001 }, { user: 1002 }] } },
      codes: ["plexConnection BAD_USER_INPUT"],
      sent: ["POST query 200", "POST query 200"],
      asked: ["7", expect.stringMatching(/^\?.*page_size=/)],
    });
  });
});
