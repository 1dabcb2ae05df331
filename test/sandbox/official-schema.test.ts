import { expect, test } from "vitest";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { readOfficialDocument } from "./openapi.ts";
import { connections, startSandbox } from "./start.ts";

// Releases that nobody has recorded: see conformance.test.ts for the others.

const official = readOfficialDocument();

test("the document is that of the newest release", () => {
  expect(official.version).toMatch(/^2026\.8\./);
});

test.each<[operation: string, asked: readonly string[], status?: number, anonymous?: true]>([
  [`${connections}{id}/`, [5, 6, 7, 8, 9, 1001, 1250].map((pk) => `${connections}${pk}/`)],
  [connections, ["", "?page_size=100&page=2&ordering=-pk", "?source__slug=nope"].map((q) => connections + q)],
  ["/sources/plex/", ["/sources/plex/"]],
  ["/sources/all/", ["/sources/all/"]],
  ["/core/users/{id}/", ["/core/users/42/", "/core/users/46/", "/core/users/53/"]],
  ["/core/users/", ["/core/users/", "/core/users/?search=alice"]],
  ["/core/users/me/", ["/core/users/me/"]],
  ["/admin/version/", ["/admin/version/"]],
  [connections, [connections], 403, true],
  [connections, [`${connections}?user=404`], 400],
])(
  "as the newest release, the sandbox keeps to it: %s",
  async (operation, asked, status = 200, anonymous) => {
    const { ask } = await startSandbox();
    for (const question of asked) {
      const reply = await ask(question, anonymous ? { token: null } : {});
      const violations = official.violations(operation, reply.body, status);
      expect({ question, status: reply.status, violations }).toEqual({ question, status, violations: [] });
    }
  },
);

test("a key that is stray, missing or misspelt would be found, and so would a wrong type", async () => {
  const path = `${connections}{id}/`;
  const reply = await (await startSandbox()).ask(`${connections}5/`);
  const body = reply.body as Record<string, object>;
  const { created, ...rest } = body;
  const { slug, ...source } = body["source_obj"] as Record<string, unknown>;
  expect(official.violations(path, body)).toEqual([]);
  expect(official.violations(path, { ...body, plex_token: "x" })).toHaveLength(1);
  expect(official.violations(path, { ...body, pk: "5" })).toHaveLength(1);
  expect(official.violations(path, rest)).not.toEqual([]);
  expect(official.violations(path, { ...rest, creatd: created })).not.toEqual([]);
  expect(official.violations(path, { ...body, source_obj: { slug, ...source, sulg: slug } })).not.toEqual([]);
});

/** What is asked, by what is in the answers. */
const ASKED = {
  connection: [`${connections}5/`, `${connections}?page_size=2`],
  user: ["/core/users/42/", "/core/users/?search=alice", "/core/users/?username=bob"],
  source: ["/sources/plex/", "/sources/all/", "/sources/all/?slug=plex"],
  self: ["/core/users/me/"],
  version: ["/admin/version/"],
};

/** Each release down from 2025.8, which was recorded, and up from 2024.2: keys that only the newer of two has. */
test.each<
  [older: SandboxRelease, newer: SandboxRelease, added: Partial<Record<keyof typeof ASKED, string[]>>]
>([
  ["2024.2", "2024.6", { source: ["icon"], version: ["version_latest_valid"] }],
  ["2024.12", "2025.2", { user: ["password_change_date"] }],
  ["2025.2", "2025.4", { connection: ["last_updated"], user: ["date_joined"] }],
  [
    "2025.4",
    "2025.8",
    { connection: ["autocomplete"], user: ["last_updated", "autocomplete"], source: ["autocomplete"] },
  ],
])("%s differs from %s in nothing but the keys that came then", async (older, newer, added) => {
  const [old, now] = [await startSandbox({ release: older }), await startSandbox({ release: newer })];
  for (const [kind, questions] of Object.entries(ASKED)) {
    const keys = [...(added[kind as keyof typeof ASKED] ?? []), "version_current", "version_latest"];
    const without = ({ body }: { body: unknown }): unknown =>
      JSON.parse(JSON.stringify(body, (key, value: unknown) => (keys.includes(key) ? undefined : value)));
    for (const question of questions) {
      expect(without(await old.ask(question))).toEqual(without(await now.ask(question)));
    }
  }
});
