import { beforeAll, describe, expect, it } from "vitest";
import { compose, COMPOSERS, ours, peer } from "./support/composition.ts";

describe("the subgraph composes with others that extend each of its entities", () => {
  let together: Awaited<ReturnType<typeof compose>>;
  let alone: typeof together;
  let impossible: typeof together;

  beforeAll(async () => {
    const [statistics, accounts] = await Promise.all([peer("watch-statistics"), peer("user-accounts")]);
    const wrong = { ...accounts, sdl: accounts.sdl.replaceAll(/\buser\b/g, "owner") };
    [together, alone, impossible] = await Promise.all([
      compose([ours(), statistics, accounts]),
      compose([ours()], "authentik-administration"),
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

  it("and a contract can leave out what only authentik's administration needs", () => {
    const { contract, "@apollo/composition": whole } = alone;
    expect(contract).toMatchObject({ errors: [], hints: [] });
    expect(whole.supergraphSdl).toMatch(/^ *metaModelName:/m);
    expect(contract.supergraphSdl).toContain("slug: String!");
    expect(contract.supergraphSdl).not.toMatch(/^ *metaModelName:/m);
  });
});
