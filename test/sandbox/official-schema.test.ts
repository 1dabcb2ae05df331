import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SANDBOX_RELEASES } from "../../src/sandbox/releases.ts";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { FindViolations, OpenApiDocument } from "./openapi.ts";
import { createConformanceCheck, declaredKeys, readOfficialDocument } from "./openapi.ts";

const connectionKeys: Record<SandboxRelease, string> = {
  "2024.2": "pk user source identifier plex_token",
  "2024.6": "pk user source identifier plex_token",
  "2024.8": "pk user source created identifier",
  "2024.12": "pk user source source_obj created identifier",
  "2025.2": "pk user source source_obj created identifier",
  "2025.4": "pk user source source_obj identifier created last_updated",
  "2025.8": "pk user source source_obj identifier created last_updated",
  "2025.10": "pk user source source_obj identifier created last_updated",
  "2025.12": "pk user source source_obj identifier created last_updated",
  "2026.8": "pk user source source_obj identifier created last_updated",
};

const plexSlugs = ["plex", "cinema", "studio", "neighbourhood"];

async function get(path: string, { sandbox, token }: { sandbox: Sandbox; token?: string }): Promise<unknown> {
  const authorization = `Bearer ${token ?? sandbox.tokens.administrator.token}`;
  const headers = { accept: "application/json", ...(token !== "" && { authorization }) };
  const response = await fetch(new URL(`/api/v3${path}`, sandbox.url), { headers });
  return response.json();
}

describe.each(SANDBOX_RELEASES)("as %s, the sandbox keeps to the official document", (release) => {
  let sandbox: Sandbox;
  let document: OpenApiDocument;
  let violations: FindViolations;

  beforeAll(async () => {
    document = readOfficialDocument(release);
    violations = createConformanceCheck(document);
    sandbox = await createSandbox({ release });
  });
  afterAll(() => sandbox.close());

  test("the document is of that release", () => {
    expect(document.info.version.startsWith(`${release}.`)).toBe(true);
  });

  test.each([5, 6, 7, 8, 9, 1001, 1250])("connection %i", async (pk) => {
    const body = await get(`/sources/user_connections/plex/${pk}/`, { sandbox });
    expect(violations("/sources/user_connections/plex/{id}/", body)).toEqual([]);

    const connection = body as Record<string, object>;
    const schema = declaredKeys(document, "UserPlexSourceConnection");
    const oldSchema = declaredKeys(document, "PlexSourceConnection");
    expect(Object.keys(connection)).toEqual(schema.length > 0 ? schema : oldSchema);
    expect(Object.keys(connection).join(" ")).toBe(connectionKeys[release]);
    const source = connection["source_obj"] ?? connection["source"] ?? {};
    expect(Object.keys(source)).toEqual(declaredKeys(document, "Source"));
  });

  test.each(plexSlugs)("Plex source %s", async (slug) => {
    const body = await get(`/sources/plex/${slug}/`, { sandbox });
    expect(violations("/sources/plex/{slug}/", body)).toEqual([]);
    expect(Object.keys(body as object)).toEqual(declaredKeys(document, "PlexSource"));
  });

  test.each([...plexSlugs, "ldap", "authentik-built-in"])("source %s", async (slug) => {
    const body = await get(`/sources/all/${slug}/`, { sandbox });
    expect(violations("/sources/all/{slug}/", body)).toEqual([]);
    expect(Object.keys(body as object)).toEqual(declaredKeys(document, "Source"));
  });

  test.each([
    ["/sources/user_connections/plex/", ""],
    ["/sources/user_connections/plex/", "?page=last"],
    ["/sources/user_connections/plex/", "?page_size=100&page=2&ordering=-pk"],
    ["/sources/user_connections/plex/", "?source__slug=nope"],
    ["/sources/plex/", ""],
    ["/sources/all/", ""],
  ])("list %s%s", async (path, query) => {
    expect(violations(path, await get(path + query, { sandbox }))).toEqual([]);
  });

  test("what refers to a connection", async () => {
    const body = await get("/sources/user_connections/plex/5/used_by/", { sandbox });
    expect(violations("/sources/user_connections/plex/{id}/used_by/", body)).toEqual([]);
  });

  test("refusals", async () => {
    const forbidden = await get("/sources/user_connections/plex/", { sandbox, token: "" });
    expect(forbidden).toEqual({ detail: "Authentication credentials were not provided." });
    expect(violations("/sources/user_connections/plex/", forbidden, 403)).toEqual([]);

    const invalid = await get("/sources/plex/?slug=%00", { sandbox });
    expect(invalid).toEqual({ slug: ["Null characters are not allowed."] });
    expect(violations("/sources/plex/", invalid, 400)).toEqual([]);
  });
});

test("the check refuses a stray key, a missing one, a misspelt one and a wrong type", async () => {
  const path = "/sources/user_connections/plex/{id}/";
  const violations = createConformanceCheck(readOfficialDocument("2025.12"));
  const sandbox = await createSandbox({ release: "2025.12" });
  const body = (await get("/sources/user_connections/plex/5/", { sandbox })) as Record<string, object>;
  await sandbox.close();

  expect(violations(path, body)).toEqual([]);
  expect(violations(path, { ...body, plex_token: "x" })).toHaveLength(1);
  const { last_updated, ...rest } = body;
  expect(violations(path, rest)).toHaveLength(1);
  expect(violations(path, { ...rest, lastUpdated: last_updated })).toHaveLength(2);
  expect(violations(path, { ...body, pk: "5" })).toHaveLength(1);
  expect(violations(path, { ...body, source_obj: { ...body["source_obj"], stray: 1 } })).toHaveLength(1);
});
