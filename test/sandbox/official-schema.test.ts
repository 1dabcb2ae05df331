import { beforeAll, describe, expect, test } from "vitest";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { FieldsMetadata, OpenApiDocument } from "./openapi.ts";
import { createConformanceCheck, findFieldViolations, readOfficialDocument } from "./openapi.ts";
import { differencesOf, releaseDifferences, withDifferences } from "./release-differences.ts";

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
const plexSlugs = ["plex", "cinema", "studio", "neighbourhood"];

/** Operations of the document, each with what it is asked for. */
const questions: readonly { path: string; asked: readonly string[]; status?: number; anonymous?: true }[] = [
  {
    path: `${connections}{id}/`,
    asked: [5, 6, 7, 8, 9, 1001, 1250].map((pk) => `${connections}${pk}/`),
  },
  { path: "/sources/plex/{slug}/", asked: plexSlugs.map((slug) => `/sources/plex/${slug}/`) },
  {
    path: "/sources/all/{slug}/",
    asked: [...plexSlugs, "ldap", "authentik-built-in"].map((slug) => `/sources/all/${slug}/`),
  },
  {
    path: connections,
    asked: ["", "?page=last", "?page_size=100&page=2&ordering=-pk", "?source__slug=nope"].map(
      (query) => connections + query,
    ),
  },
  { path: "/sources/plex/", asked: ["/sources/plex/"] },
  { path: "/sources/all/", asked: ["/sources/all/"] },
  { path: `${connections}{id}/used_by/`, asked: [`${connections}5/used_by/`] },
  { path: connections, asked: [connections], status: 403, anonymous: true },
  { path: "/sources/plex/", asked: ["/sources/plex/?slug=%00"], status: 400 },
];

interface Answers {
  bodies: readonly { path: string; asked: string; status: number; body: unknown }[];
  /** What `OPTIONS` of a connection says, by component. */
  fields: readonly { component: string; fields: FieldsMetadata }[];
}

async function ask(
  path: string,
  { sandbox, ...init }: RequestInit & { sandbox: Sandbox },
): Promise<Response> {
  const authorization = `Bearer ${sandbox.tokens.administrator.token}`;
  return fetch(new URL(`/api/v3${path}`, sandbox.url), { headers: { authorization }, ...init });
}

async function collectAnswers(release: SandboxRelease): Promise<Answers> {
  const sandbox = await createSandbox({ release });
  try {
    const bodies = await Promise.all(
      questions.flatMap(({ path, asked, anonymous }) =>
        asked.map(async (question) => {
          const response = await ask(question, { sandbox, ...(anonymous && { headers: {} }) });
          return { path, asked: question, status: response.status, body: await response.json() };
        }),
      ),
    );
    const described = await ask(`${connections}5/`, { sandbox, method: "OPTIONS" });
    const { actions } = (await described.json()) as {
      actions: { PUT: FieldsMetadata & { source_obj: { children: FieldsMetadata } } };
    };
    return {
      bodies,
      fields: [
        { component: "UserPlexSourceConnection", fields: actions.PUT },
        { component: "Source", fields: actions.PUT.source_obj.children },
      ],
    };
  } finally {
    await sandbox.close();
  }
}

/** Every violation of a document, found one by one: compiling the whole of it is the slow part. */
function* findAllViolations({ bodies, fields }: Answers, document: OpenApiDocument): Generator<string> {
  const violations = createConformanceCheck(document);
  for (const described of fields) yield* findFieldViolations(document, described);
  for (const { path, asked, status, body } of bodies) {
    for (const violation of violations(path, body, status)) yield `${asked}: ${violation}`;
  }
}

const official = readOfficialDocument();

test("the document is that of the newest release", () => {
  expect(official.info.version).toMatch(/^2026\.8\./);
  expect(differencesOf("2026.8")).toEqual([]);
});

test("every difference is of some release, and told once", () => {
  expect(differencesOf("2024.12")).toEqual(releaseDifferences);
  const told = releaseDifferences.map(({ component, property }) => `${component}.${property}`);
  expect(new Set(told).size).toBe(told.length);
});

describe.each(releases)("as %s, the sandbox", (release) => {
  let answers: Answers;
  const differences = differencesOf(release);

  beforeAll(async () => {
    answers = await collectAnswers(release);
  });

  test("answers with the expected status", () => {
    const wanted = questions.flatMap(({ asked, status = 200 }) => asked.map(() => status));
    expect(answers.bodies.map(({ status }) => status)).toEqual(wanted);
  });

  test("keeps to the official document but for the differences of that release", () => {
    expect([...findAllViolations(answers, withDifferences(official, differences))]).toEqual([]);
  });

  test("shows every one of these differences", () => {
    const unneeded = differences.filter((difference) => {
      const others = differences.filter((other) => other !== difference);
      return findAllViolations(answers, withDifferences(official, others)).next().done === true;
    });
    expect(unneeded.map(({ component, property }) => `${component}.${property}`)).toEqual([]);
  });

  test("would not get away with a key that is stray, missing, misspelt or misplaced, or with a wrong type", () => {
    const violations = createConformanceCheck(withDifferences(official, differences));
    const path = `${connections}{id}/`;
    const body = answers.bodies[0]?.body as Record<string, object>;
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
