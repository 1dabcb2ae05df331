import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildCli } from "../process/cli.ts";
import { askInstalled, installGlobally, npm, pack, readJson } from "./package.ts";

beforeAll(buildCli);

test("the package, installed alone, answers in an empty folder", async () => {
  const command = await installGlobally(await pack());
  expect(await askInstalled(command)).toEqual({
    data: { plexConnection: { identifier: "12345678", source: { name: "Plex" } } },
  });

  const folder = dirname(dirname(realpathSync(command)));
  const installed = await npm(folder, "ls", "--all", "--parseable", "--omit=dev");
  // It brings nothing along.
  expect(installed.stdout.trim().split("\n")).toHaveLength(1);

  const names = componentNames(readJson(join(folder, "dist/sbom.cdx.json")));
  expect(names).toEqual(
    expect.arrayContaining(["graphql", "graphql-yoga", "undici", "pino", "graphiql", "react"]),
  );
  // No tool of development is in it.
  expect(names).not.toContain("vitest");
}, 120_000);

function componentNames(sbom: unknown): string[] {
  const { bomFormat, components } = sbom as { bomFormat: string; components: { name: string }[] }; // as CycloneDX says
  expect(bomFormat).toBe("CycloneDX");
  return components.map(({ name }) => name);
}
