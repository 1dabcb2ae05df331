import { describe, expect, test } from "vitest";
import { createDirectory } from "../../src/sandbox/directory.ts";
import { SANDBOX_RELEASES, type SandboxRelease } from "../../src/sandbox/releases.ts";
import { createTestDirectory } from "../support/test-directory.ts";
import { readRecordedCases, sendRecorded } from "../sandbox/recordings.ts";
import type { FakeAuthentikOptions } from "../support/fake-authentik.ts";
import { gatewayForTest, type TestGateway, TOKEN } from "../support/gateway.ts";
import { PLEX_SOURCE_PK } from "../support/wire-bodies.ts";

const QUERY = `
  query Everything($id: ID!) {
    plexConnection(id: $id) {
      id pk user identifier created lastUpdated
      source {
        pk name slug enabled promoted authenticationFlow enrollmentFlow userPropertyMappings groupPropertyMappings
        component verboseName verboseNamePlural metaModelName policyEngineMode userMatchingMode managed
        userPathTemplate icon iconUrl iconThemedUrls { light dark }
      }
    }
  }`;

/** What every release says of the recorded connections. */
const SHARED = {
  5: {
    id: "5",
    pk: 5,
    user: 42,
    source: {
      pk: PLEX_SOURCE_PK,
      name: "Plex",
      slug: "plex",
      enabled: true,
      authenticationFlow: "5eed0000-0000-4000-8000-000000000001",
      component: "",
      verboseName: "source",
      verboseNamePlural: "sources",
      metaModelName: "authentik_core.source",
      policyEngineMode: "ANY",
      userMatchingMode: "IDENTIFIER",
      managed: null,
      userPathTemplate: "goauthentik.io/sources/%(slug)s",
      icon: null,
    },
  },
  7: { user: 42, source: { slug: "cinema", enabled: false, userMatchingMode: "EMAIL_LINK" } },
};

function replayed(release: string): FakeAuthentikOptions {
  const cases = readRecordedCases(release);
  // Of every list the same page, which was cut: its rows can be believed, and what it lacks is retrieved.
  const list = cases.find(({ name }) => name === "list ?ordering=pk&page_size=100");
  return {
    answer(request, response) {
      const single = cases.find(
        ({ request: { method, path, headers } }) =>
          method === "GET" && path === request.path && headers["Authorization"] === request.authorization,
      );
      const recorded = request.path.includes("?") ? list : single;
      if (!recorded) throw new Error(`${request.path} was not recorded`);
      sendRecorded(response, recorded);
    },
  };
}

function sandboxOf(release: SandboxRelease): FakeAuthentikOptions {
  return { sandbox: { release, directory: createDirectory() } };
}

async function ask(gateway: TestGateway, query: string, variables: object, authorization = TOKEN) {
  const { data, codes, text } = await gateway.post(query, { variables: { ...variables }, authorization });
  expect(text + JSON.stringify(gateway.records)).not.toContain("canary-plex-token");
  return { data, codes };
}

describe.each<readonly [release: string, by: string, fake: FakeAuthentikOptions]>([
  ...["2024.2.4", "2024.8.1", "2025.8.1", "2025.10.0-rc1"].map(
    (release) => [release, "was recorded from a real server", replayed(release)] as const,
  ),
  ...SANDBOX_RELEASES.map((release) => [release, "is answered by the sandbox", sandboxOf(release)] as const),
])("authentik %s as it %s", (release, _by, fake) => {
  const lacks = (since: string) => release.localeCompare(since, "en", { numeric: true }) < 0;

  const there: unknown = expect.anything();
  const has = (since: string) => (lacks(since) ? null : there);
  const source = {
    userPropertyMappings: has("2024.8"),
    groupPropertyMappings: has("2024.8"),
    promoted: has("2025.12"),
    ...(lacks("2025.12") && { iconUrl: null, iconThemedUrls: null }),
  };
  const OF_RELEASE = { created: has("2024.8"), lastUpdated: has("2025.4"), source };

  test.each(Object.entries(SHARED))("answers connection %s through the same graph", async (id, shared) => {
    const { gateway } = await gatewayForTest({}, fake);
    const alone = await ask(gateway, QUERY, { id });
    expect(alone).toMatchObject({ data: { plexConnection: shared }, codes: [] });
    expect(alone).toMatchObject({ data: { plexConnection: OF_RELEASE } });
    const beside = QUERY.replace(
      "plexConnection",
      "missing: plexConnection(id: 404404) { pk } plexConnection",
    );
    const fromList = { data: { missing: null, ...alone.data }, codes: [] };
    expect(await ask(gateway, beside, { id })).toEqual(fromList);
  });
});

// Releases until 2024.12 ignore the filter of a single key.
test.each(["2024.12", "2025.2"] as const)("in %s a source is found by its key", async (release) => {
  const { gateway } = await gatewayForTest({}, sandboxOf(release));
  const query = "query ($keys: [_Any!]!) { _entities(representations: $keys) { ... on Source { slug } } }";
  const keys = [{ __typename: "Source", pk: PLEX_SOURCE_PK.replace(/a$/, "b") }];
  for (const authorization of [TOKEN, "Bearer token-of-alice"]) {
    const answer = await ask(gateway, query, { keys }, authorization);
    expect(answer).toEqual({ data: { _entities: [{ slug: "cinema" }] }, codes: [] });
  }
});

test("an upgrade is noticed in the first connection that comes", async () => {
  const sandbox: NonNullable<FakeAuthentikOptions["sandbox"]> = {
    release: "2024.2",
    directory: createTestDirectory({ viewers: 100 }),
  };
  const { authentik, gateway } = await gatewayForTest({ gateway: { maxScannedRows: 50 } }, { sandbox });
  const byFilter = `{
    plexAccount(id: "12345678") { plexConnections { pk } }
    plexConnections(filter: { user: 42 }) { nodes { pk } }
  }`;
  expect((await gateway.post(byFilter)).codes).toEqual(["LIMIT_EXCEEDED", "LIMIT_EXCEEDED"]);
  sandbox.release = "2025.12";
  await gateway.post("{ plexConnection(id: 5) { pk } }");
  authentik.requests.length = 0;
  expect((await gateway.post(byFilter)).data).toEqual({
    plexAccount: { plexConnections: [{ pk: 5 }, { pk: 6 }] },
    plexConnections: { nodes: [{ pk: 5 }, { pk: 7 }] },
  });
  expect(authentik.requests).toHaveLength(2);
});
