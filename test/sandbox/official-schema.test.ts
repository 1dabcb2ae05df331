import { beforeAll, describe, expect, test } from "vitest";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
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

interface Reply {
  path: string;
  asked: string;
  status: number;
  body: unknown;
}

async function collectReplies(release: SandboxRelease): Promise<Reply[]> {
  const sandbox: Sandbox = await createSandbox({ release });
  const authorization = `Bearer ${sandbox.tokens.administrator.token}`;
  try {
    return await Promise.all(
      questions.flatMap(({ path, asked, anonymous }) =>
        asked.map(async (question) => {
          const headers = anonymous === true ? {} : { authorization };
          const response = await fetch(new URL(`/api/v3${question}`, sandbox.url), { headers });
          return { path, asked: question, status: response.status, body: await response.json() };
        }),
      ),
    );
  } finally {
    await sandbox.close();
  }
}

const official = readOfficialDocument();

test("the document is that of the newest release, which differs in nothing", () => {
  expect(official.info.version).toMatch(/^2026\.8\./);
  expect(differencesOf("2026.8")).toEqual([]);
});

describe.each(releases)("as %s, the sandbox", (release) => {
  let replies: Reply[];
  const differences = differencesOf(release);

  beforeAll(async () => {
    replies = await collectReplies(release);
  });

  test("answers with the expected status", () => {
    const wanted = questions.flatMap(({ asked, status = 200 }) => asked.map(() => status));
    expect(replies.map(({ status }) => status)).toEqual(wanted);
  });

  test("keeps to the official document but for the differences of that release", () => {
    const violations = createConformanceCheck(withDifferences(official, differences));
    const found = replies.flatMap(({ path, asked, status, body }) =>
      violations(path, body, status).map((violation) => `${asked}: ${violation}`),
    );
    expect(found).toEqual([]);
  });

  test("would not get away with a key that is stray, missing, misspelt or misplaced, or with a wrong type", () => {
    const violations = createConformanceCheck(withDifferences(official, differences));
    const path = `${connections}{id}/`;
    const body = replies[0]?.body as Record<string, object>;
    const { created, ...rest } = body;
    const { slug, ...source } = body["source_obj"] as Record<string, unknown>;

    expect(violations(path, body)).toEqual([]);
    expect(violations(path, { ...body, plex_token: "x" })).toHaveLength(1);
    expect(violations(path, { ...body, pk: "5" })).toHaveLength(1);
    expect(violations(path, { created, ...rest })).toHaveLength(1);
    expect(violations(path, rest)).not.toEqual([]);
    expect(violations(path, { ...rest, creatd: created })).not.toEqual([]);
    expect(violations(path, { ...body, source_obj: { slug, ...source, sulg: slug } })).not.toEqual([]);
  });
});
