import { expect, onTestFinished, test } from "vitest";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { createConformanceCheck, readOfficialDocument } from "./openapi.ts";
import { differencesOf, withDifferences } from "./release-differences.ts";

/** The releases with the shape of today, `source_obj` beside `source`. The recordings hold the ones before. */
const releases: readonly SandboxRelease[] = [
  "2024.12",
  "2025.2",
  "2025.4",
  "2025.8",
  "2025.10",
  "2025.12",
  "2026.8",
];

const connections = "/sources/user_connections/plex/";

/** Operations of the document, each with what it is asked for. */
const questions: readonly { path: string; asked: readonly string[]; status?: number; anonymous?: true }[] = [
  { path: `${connections}{id}/`, asked: [5, 6, 7, 8, 9, 1001, 1250].map((pk) => `${connections}${pk}/`) },
  {
    path: connections,
    asked: ["", "?page_size=100&page=2&ordering=-pk", "?source__slug=nope"].map(
      (query) => connections + query,
    ),
  },
  { path: "/sources/plex/", asked: ["/sources/plex/"] },
  { path: "/sources/all/", asked: ["/sources/all/"] },
  { path: "/core/users/{id}/", asked: ["/core/users/42/", "/core/users/46/", "/core/users/53/"] },
  { path: "/core/users/", asked: ["/core/users/", "/core/users/?search=alice"] },
  { path: "/core/users/me/", asked: ["/core/users/me/"] },
  { path: "/admin/version/", asked: ["/admin/version/"] },
  { path: connections, asked: [connections], status: 403, anonymous: true },
  { path: connections, asked: [`${connections}?user=404`], status: 400 },
];

const official = readOfficialDocument();

/** Starts a sandbox that the end of the test closes. Returns what it answers to the administrator, or to nobody. */
async function startAsking(release: SandboxRelease) {
  const sandbox = await createSandbox({ release });
  onTestFinished(() => sandbox.close());
  const authorization = `Bearer ${sandbox.tokens.administrator.token}`;
  return async (question: string, anonymous = false): Promise<{ status: number; body: unknown }> => {
    const headers = anonymous ? {} : { authorization };
    const response = await fetch(new URL(`/api/v3${question}`, sandbox.url), { headers });
    return { status: response.status, body: await response.json() };
  };
}

test("the document is that of the newest release, which differs in nothing", () => {
  expect(official.info.version).toMatch(/^2026\.8\./);
  expect(differencesOf("2026.8")).toEqual([]);
});

test.each(releases)(
  "as %s, the sandbox keeps to it but for the differences of that release",
  async (release) => {
    const ask = await startAsking(release);
    const violations = createConformanceCheck(withDifferences(official, differencesOf(release)));
    for (const { path, asked, status = 200, anonymous } of questions) {
      for (const question of asked) {
        // oxlint-disable-next-line no-await-in-loop -- one sandbox
        const reply = await ask(question, anonymous);
        expect({ question, status: reply.status, violations: violations(path, reply.body, status) }).toEqual({
          question,
          status,
          violations: [],
        });
      }
    }
  },
);

test("a key that is stray, missing or misspelt would be found, and so would a wrong type", async () => {
  const violations = createConformanceCheck(official);
  const path = `${connections}{id}/`;
  const reply = await (await startAsking("2026.8"))(`${connections}5/`);
  const body = reply.body as Record<string, object>;
  const { created, ...rest } = body;
  const { slug, ...source } = body["source_obj"] as Record<string, unknown>;
  expect(violations(path, body)).toEqual([]);
  expect(violations(path, { ...body, plex_token: "x" })).toHaveLength(1);
  expect(violations(path, { ...body, pk: "5" })).toHaveLength(1);
  expect(violations(path, rest)).not.toEqual([]);
  expect(violations(path, { ...rest, creatd: created })).not.toEqual([]);
  expect(violations(path, { ...body, source_obj: { slug, ...source, sulg: slug } })).not.toEqual([]);
});
