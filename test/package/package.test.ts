import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildCli } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { installGlobally, npm, pack, startInstalled } from "./package.ts";

beforeAll(buildCli);

test("the package, installed alone, needs no package beside it, and says what is in it", async () => {
  const command = await installGlobally(await pack());
  const folder = dirname(dirname(realpathSync(command)));
  const installed = await npm(folder, "ls", "--all", "--parseable", "--omit=dev");
  // It brings nothing along.
  expect(installed.stdout.trim().split("\n")).toHaveLength(1);

  const url = await startInstalled(command);
  const { data } = await ask(url, "{ plexConnection(id: 5) { identifier source { name } } }");
  expect(data).toEqual({ plexConnection: { identifier: "12345678", source: { name: "Plex" } } });
  // Loaded late: yoga's HTTP layer, traces, GraphiQL.
  const get = await fetch(`${url.href}?query={__typename}`, { headers: { accept: "application/json" } });
  expect(await get.json()).toEqual({ data: { __typename: "Query" } });
  const headers = { "apollo-federation-include-trace": "ftv1" };
  const { extensions } = await ask(url, "{ __typename }", { headers });
  expect(extensions).toMatchObject({ ftv1: expect.any(String) });
  const page = await (await fetch(url, { headers: { accept: "text/html" } })).text();
  const loaded = [...page.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)];
  expect(loaded).toHaveLength(6);
  for (const [, path = ""] of loaded) expect((await fetch(new URL(path, url))).status).toBe(200);

  const read = (name: string): string => readFileSync(join(folder, "dist", name), "utf8");
  const sbom: { bomFormat: string; components: { name: string }[] } = JSON.parse(read("sbom.cdx.json"));
  expect(sbom.bomFormat).toBe("CycloneDX");
  const names = sbom.components.map(({ name }) => name);
  for (const name of ["graphql-yoga", "@pothos/core", "undici", "graphiql"]) {
    expect(names).toContain(name);
    expect(read("LICENCES.txt")).toMatch(new RegExp(`^${name} [0-9.]+ \\([A-Z]`, "m"));
  }
  // No tool of development is in it.
  expect(names).not.toContain("vitest");
}, 120_000);
