import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { compose, COMPOSERS, ours, peer, type Subgraph } from "./support/composition.ts";
import { documented } from "./support/processes.ts";

describe("the subgraph composes, without an error or a hint,", () => {
  let compositions: Awaited<ReturnType<typeof compose>>[];
  beforeAll(async () => {
    const [statistics, accounts] = await Promise.all([peer("watch-statistics"), peer("user-accounts")]);
    // docs/federation.md shows them.
    const shown = ["watch statistics", "play history", "people"].map((title): Subgraph => {
      const name = title.replace(" ", "-");
      return { name, url: `http://${name}.example/`, sdl: documented(`# ${title}`) };
    });
    compositions = await Promise.all([
      compose([ours(), statistics, accounts]),
      compose([ours(), ...shown]),
      compose([ours()], "authentik-administration"),
    ]);
  });

  test.each(COMPOSERS)(
    "with others that extend its entities, with those of the docs, alone: %s",
    (composer) => {
      for (const by of compositions) expect(by[composer]).toMatchObject({ errors: [], hints: [] });
    },
  );

  test("as a contract without what only authentik's administration needs", () => {
    const { contract, "@apollo/composition": whole } = compositions.at(-1) ?? {};
    expect(contract).toMatchObject({ errors: [], hints: [] });
    expect(whole?.supergraphSdl).toMatch(/^ *metaModelName:/m);
    expect(contract?.supergraphSdl).toContain("slug: String!");
    expect(contract?.supergraphSdl).not.toMatch(/^ *metaModelName:/m);
  });
});

test("docs/federation.md names the versions that the tests run with", () => {
  const page = readFileSync("docs/federation.md", "utf8");
  const manifest = readFileSync("test/federation/package.json", "utf8");
  const rows = [...page.matchAll(/^\| (@[^ ]+) +\| ([0-9.]+) +\|/gm)];
  expect(rows).toHaveLength(7);
  for (const [, name, version] of rows) expect(manifest).toContain(`"${name}": "${version}"`);
});
