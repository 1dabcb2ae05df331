import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodePage } from "../../src/authentik/lookup/page.ts";
import { decodeAuthentikUser, decodeAuthentikViewer } from "../../src/resources/authentik-user/decode.ts";
import { decodePlexSourceSettings, decodeSource } from "../../src/resources/source/decode.ts";

interface Case {
  name: string;
  response: { status: number; body?: unknown };
}

const FOLDER = new URL("../fixtures/recorded/", import.meta.url);
const RECORDINGS = readdirSync(FOLDER).filter((name) => /^\d{4}\..*\.json$/.test(name));

describe.each(RECORDINGS)("what a real server said, %s", (file) => {
  const { cases } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { cases: Case[] };

  function recorded(name: string): unknown {
    const found = cases.find((one) => one.name === name && one.response.status === 200);
    if (!found) throw new Error(`${file} has no ${name}`);
    return found.response.body;
  }

  test("users are read from their own route, from a list and as the caller, with the same outcome", () => {
    const alice = {
      pk: 42,
      username: "alice",
      name: "Alice",
      email: "alice@home.example",
      isActive: true,
      avatar: expect.any(String) as string,
      groups: [{ pk: "5eed0000-0000-4000-8000-000000000022", name: "family" }],
    };
    expect(decodeAuthentikUser(recorded("core/users/42/ as administrator"))).toEqual({
      ...alice,
      lastLogin: null,
    });
    const { rows } = decodePage(recorded("core/users/?username=alice as administrator"));
    expect(rows.map((row) => decodeAuthentikUser(row))).toEqual([{ ...alice, lastLogin: null }]);
    expect(decodeAuthentikViewer(recorded("core/users/me/ as alice"))).toEqual({
      ...alice,
      lastLogin: undefined,
    });
  });

  test("Plex sources are read with their settings and without their token", () => {
    const { rows } = decodePage(recorded("sources/plex/ as administrator"));
    expect(JSON.stringify(rows)).toContain("canary");
    const read = rows.map((row) => ({ ...decodeSource(row, "$"), ...decodePlexSourceSettings(row, "$") }));
    expect(JSON.stringify(read)).not.toContain("canary");
    expect(read).toContainEqual(
      expect.objectContaining({
        slug: "plex",
        clientId: "client-of-plex",
        allowedServers: ["aaaabbbbccccdddd"],
        allowFriends: true,
      }),
    );
  });
});
