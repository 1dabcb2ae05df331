import { afterEach, describe, expect, test } from "vitest";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

const sourceStart = "pk name slug enabled authentication_flow enrollment_flow";
const sourceEnd =
  "component verbose_name verbose_name_plural meta_model_name policy_engine_mode user_matching_mode managed " +
  "user_path_template icon";
const oldSource = `${sourceStart} ${sourceEnd}`;
const mappedSource = `${sourceStart} user_property_mappings group_property_mappings ${sourceEnd}`;
const plexSettings = "client_id allowed_servers allow_friends plex_token";

/** The keys of the releases before `source_obj`, in their order. */
const shapes = [
  {
    release: "2024.2",
    connection: "pk user source identifier plex_token",
    source: oldSource,
    plexSource: `${oldSource} ${plexSettings}`,
  },
  {
    release: "2024.6",
    connection: "pk user source identifier plex_token",
    source: oldSource,
    plexSource: `${oldSource} ${plexSettings}`,
  },
  {
    release: "2024.8",
    connection: "pk user source created identifier",
    source: mappedSource,
    plexSource: `${mappedSource} group_matching_mode ${plexSettings}`,
  },
] as const;

function keysOf(body: object | undefined): string {
  return Object.keys(body ?? {}).join(" ");
}

let sandbox: Sandbox | undefined;
afterEach(() => sandbox?.close());

describe.each(shapes)("as $release, the sandbox", ({ release, ...keys }) => {
  test("has the keys of that release in connections and sources, alone and in lists", async () => {
    const { url, tokens } = (sandbox = await createSandbox({ release }));
    const headers = { authorization: `Bearer ${tokens.administrator.token}` };
    const get = async (path: string): Promise<Record<string, object>> => {
      const response = await fetch(new URL(`/api/v3/sources/${path}`, url), { headers });
      return (await response.json()) as Record<string, object>;
    };

    const connection = await get("user_connections/plex/5/");
    expect(keysOf(connection)).toBe(keys.connection);
    expect(keysOf(connection["source"])).toBe(keys.source);
    expect(keysOf(await get("all/plex/"))).toBe(keys.source);
    expect(keysOf(await get("plex/plex/"))).toBe(keys.plexSource);

    for (const [path, row] of [
      ["user_connections/plex/", keys.connection],
      ["all/", keys.source],
      ["plex/", keys.plexSource],
    ] as const) {
      const list = await get(path);
      expect(keysOf(list)).toBe("pagination results");
      expect(new Set((list["results"] as object[]).map(keysOf))).toEqual(new Set([row]));
    }
  });
});
