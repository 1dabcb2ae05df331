import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { printApiSchema } from "../../src/graphql/print.ts";
import { testSchema } from "../support/schema.ts";
import { ONE } from "./programs/operations.mjs";
import { packageFolder, run, runClient } from "./support.ts";

const cache = join(packageFolder, ".cache");

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(cache, name)), { recursive: true });
  await writeFile(join(cache, name), text);
}

describe("what `authentik-graphql schema --api` prints is enough for", () => {
  beforeAll(async () => {
    for (const made of ["codegen", "relay", "genql"])
      await rm(join(cache, made), { recursive: true, force: true });
    for (const folder of ["", "relay/"]) await write(`${folder}schema.graphql`, printApiSchema(testSchema()));
  });

  test("graphql-codegen, whose types say what is there", async () => {
    const config = {
      schema: ".cache/schema.graphql",
      documents: ".cache/codegen/operations.graphql",
      generates: { ".cache/codegen/types.ts": { plugins: ["typescript", "typescript-operations"] } },
    };
    await write("codegen/operations.graphql", ONE);
    await write("codegen/codegen.json", JSON.stringify(config));
    const cli = "node_modules/@graphql-codegen/cli/esm/bin.js";
    await run(process.execPath, [cli, "--config", ".cache/codegen/codegen.json"]);
    const types = await readFile(join(cache, "codegen/types.ts"), "utf8");
    expect(types).toContain("export type OneQueryVariables");
    expect(types).toMatch(/OneQuery = .*plexConnection: \{.* identifier: string, user: number.*\} \| null/);
  });

  test("relay-compiler, whose queries are answered in the body of react-relay-network-modern", async () => {
    const siblings = '{ a: plexConnection(id: 5) { user } bad: plexConnection(id: "abc") { user } }';
    await write("relay/one.js", `graphql\`${ONE.replace("One", "oneQuery")}\`;\n`);
    await write("relay/siblings.js", `graphql\`query siblingsQuery ${siblings}\`;\n`);
    const config = { src: ".", schema: "schema.graphql", language: "javascript", eagerEsModules: true };
    await write("relay/relay.config.json", JSON.stringify(config));
    const compiler = join(packageFolder, "node_modules/relay-compiler/cli.js");
    await run(process.execPath, [compiler], join(cache, "relay"));
    // Relay's compiler asks for every object's id as well.
    expect(await runClient(["relay"])).toEqual({
      one: { plexConnection: { id: "7", identifier: "70000007", user: 1007 } },
      siblings: { a: { id: "5", user: 1005 }, bad: null },
      codes: ["bad BAD_USER_INPUT"],
      sent: ["POST query 200", "POST query 200"],
      asked: ["7", "5"],
    });
  });

  test("genql, whose client is answered", async () => {
    const args = ["--schema", ".cache/schema.graphql", "--output", ".cache/genql"];
    await run(process.execPath, ["node_modules/@genql/cli/dist/cli.js", ...args]);
    const node = [process.execPath, "--import", "tsx", "programs/clients.mjs"];
    expect(await runClient(["genql"], node)).toEqual({
      one: { plexConnection: { identifier: "70000007", user: 1007 } },
      siblings: { plexConnection: null, plexConnections: { nodes: [{ user: 1001 }, { user: 1002 }] } },
      codes: ["plexConnection BAD_USER_INPUT"],
      sent: ["POST query 200", "POST query 200"],
      asked: ["7", expect.stringMatching(/^\?.*page_size=/)],
    });
  });
});
