import { expect, test } from "vitest";
import { readOfficialDocument } from "./openapi.ts";
import { connections, startSandbox } from "./start.ts";

// The newest release, which nobody has recorded: see conformance.test.ts for others.

const official = readOfficialDocument();

test.each<[operation: string, asked: readonly string[]]>([
  [`${connections}{id}/`, [5, 7, 8, 1001].map((pk) => `${connections}${pk}/`)],
  [connections, ["", "?page_size=100&page=2&ordering=-pk", "?source__slug=nope"].map((q) => connections + q)],
  ["/sources/plex/", ["/sources/plex/"]],
  ["/sources/all/", ["/sources/all/"]],
  ["/core/users/{id}/", ["/core/users/42/", "/core/users/53/"]],
  ["/core/users/", ["/core/users/", "/core/users/?search=alice"]],
  ["/core/users/me/", ["/core/users/me/"]],
  ["/admin/version/", ["/admin/version/"]],
])("as the newest release, the sandbox keeps to it: %s", async (operation, asked) => {
  const { ask, release } = await startSandbox();
  expect(official.version).toContain(`${release}.`);
  for (const question of asked) {
    const { status, body } = await ask(question);
    const violations = official.violations(operation, body);
    expect({ question, status, violations }).toEqual({ question, status: 200, violations: [] });
  }
});

test("what does not keep to it would be found", async () => {
  const path = `${connections}{id}/`;
  const { created, ...body } = (await (await startSandbox()).ask(`${connections}5/`)).body as object & {
    created: string;
  };
  expect(official.violations(path, { ...body, creatd: created })).toHaveLength(2);
  expect(official.violations(path, { ...body, created, pk: "5" })).toHaveLength(1);
});
