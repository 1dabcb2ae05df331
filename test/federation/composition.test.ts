import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import {
  compose,
  composeContract,
  type Composer,
  type Composition,
  type Subgraph,
} from "./support/composition.ts";

const COMPOSERS: readonly Composer[] = [
  "@apollo/composition",
  "@theguild/federation-composition",
  "@wundergraph/composition",
];

async function peer(name: string): Promise<Subgraph> {
  const sdl = await readFile(new URL(`subgraphs/${name}.graphql`, import.meta.url), "utf8");
  return { name, url: `http://${name}.example/graphql`, sdl };
}

function ours(): Subgraph {
  const sdl = printSchema(createSchema({ federationLinkUrl: FEDERATION_LINK_URL }));
  return { name: "authentik", url: "http://authentik.example/graphql", sdl };
}

describe("the subgraph composes with others that extend each of its entities", () => {
  let together: Record<Composer, Composition>;
  let alone: Record<Composer, Composition>;
  let impossible: Record<Composer, Composition>;

  beforeAll(async () => {
    const statistics = await peer("watch-statistics");
    const accounts = await peer("user-accounts");
    const wrong = { ...accounts, sdl: accounts.sdl.replaceAll(/\buser\b/g, "owner") };
    [together, alone, impossible] = await Promise.all([
      compose([ours(), statistics, accounts]),
      compose([ours()]),
      compose([ours(), statistics, wrong]),
    ]);
  });

  it.each(COMPOSERS)("with %s, without an error or a hint", (composer) => {
    expect(together[composer]).toMatchObject({ errors: [], hints: [] });
    expect(alone[composer]).toMatchObject({ errors: [], hints: [] });
  });

  it.each(COMPOSERS)("and %s refuses a subgraph that needs a field which is not there", (composer) => {
    expect(impossible[composer].errors).not.toEqual([]);
  });

  it("and a contract can leave out what only authentik's administration needs", async () => {
    const contract = await composeContract([ours(), await peer("watch-statistics")], {
      without: "authentik-administration",
    });
    expect(contract).toMatchObject({ errors: [], hints: [] });
    expect(together["@apollo/composition"].supergraphSdl).toMatch(/^ *metaModelName:/m);
    expect(contract.supergraphSdl).toContain("slug: String!");
    expect(contract.supergraphSdl).not.toMatch(/^ *metaModelName:/m);
  });
});
