import { describe, expect, onTestFinished, test } from "vitest";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { SANDBOX_RELEASES, type SandboxRelease } from "../../src/sandbox/releases.ts";
import { readRecordedCases } from "../sandbox/recordings.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

const CANARY = "canary-plex-token";

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

/** Fields that every release has, with the values of the recorded directory. */
const SHARED = {
  5: {
    id: "5",
    pk: 5,
    user: 42,
    source: {
      pk: "5eed0000-0000-4000-8000-00000000000a",
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
  7: {
    id: "7",
    pk: 7,
    user: 42,
    source: { slug: "cinema", enabled: false, policyEngineMode: "ALL", userMatchingMode: "EMAIL_LINK" },
  },
  8: { id: "8", pk: 8, user: 44, source: { slug: "studio", userMatchingMode: "USERNAME_DENY" } },
  9: { id: "9", pk: 9, user: 45, source: { slug: "plex" } },
} as const;

/** Answers as the recorded server did, to the letter. */
async function startReplay(release: string): Promise<URL> {
  const cases = readRecordedCases(release);
  // Of every list the same page, which was cut: its rows can be believed, and what it lacks is retrieved.
  const list = cases.find(({ name }) => name === "list ?ordering=pk&page_size=100");
  const authentik = await startFakeAuthentik({
    answer(request, response) {
      const sent = request.headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
      const single = cases.find(
        ({ request: { method, path, headers } }) =>
          method === "GET" && path === request.path && headers["Authorization"] === sent,
      );
      const recorded = request.path.includes("?") ? list : single;
      if (!recorded) throw new Error(`${request.path} was not recorded`);
      const body = JSON.stringify(recorded.response.body);
      const { status, headers } = recorded.response;
      response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
    },
  });
  onTestFinished(() => authentik.close());
  return authentik.url;
}

async function startSandbox(release: SandboxRelease): Promise<URL> {
  const sandbox = await createSandbox({ release });
  onTestFinished(() => sandbox.close());
  return sandbox.url;
}

async function startBefore(authentikUrl: URL): Promise<TestGateway> {
  const gateway = await startGateway({ authentikUrl });
  onTestFinished(() => gateway.close());
  return gateway;
}

async function ask(
  gateway: TestGateway,
  query: string,
  { authorization = "Bearer token-of-administrator", ...variables }: Record<string, unknown>,
) {
  const reply = await gateway.post(query, { variables, authorization: String(authorization) });
  expect(reply.text + JSON.stringify(gateway.records)).not.toContain(CANARY);
  return { data: reply.data, codes: reply.errors?.map(({ extensions }) => extensions.code) ?? [] };
}

describe.each<readonly [release: string, by: string, start: () => Promise<URL>]>([
  ...["2024.2.4", "2024.8.1", "2025.8.1", "2025.10.0-rc1"].map(
    (release) => [release, "was recorded from a real server", () => startReplay(release)] as const,
  ),
  ...SANDBOX_RELEASES.map(
    (release) => [release, "is answered by the sandbox", () => startSandbox(release)] as const,
  ),
])("authentik %s as it %s", (release, _by, start) => {
  const lacks = (since: string) => release.localeCompare(since, "en", { numeric: true }) < 0;

  test("answers every connection through the same graph, alone and from the list", async () => {
    const gateway = await startBefore(await start());
    const beside = QUERY.replace(
      "plexConnection(",
      "missing: plexConnection(id: 404404) { pk } plexConnection(",
    );
    for (const [id, shared] of Object.entries(SHARED)) {
      const alone = await ask(gateway, QUERY, { id });
      expect(alone).toMatchObject({ data: { plexConnection: shared }, codes: [] });
      const { data, codes } = await ask(gateway, beside, { id });
      expect({ data, codes }).toEqual({ data: { missing: null, ...alone.data }, codes: [] });
    }
  });

  test("has null for what it lacks, and a value for what it has", async () => {
    const { data } = await ask(await startBefore(await start()), QUERY, { id: 5 });
    const there: unknown = expect.anything();
    const has = (since: string) => (lacks(since) ? null : there);
    expect(data?.["plexConnection"]).toMatchObject({
      created: has("2024.8"),
      lastUpdated: has("2025.4"),
      source: {
        userPropertyMappings: has("2024.8"),
        groupPropertyMappings: has("2024.8"),
        promoted: has("2025.12"),
        ...(lacks("2025.12") && { iconUrl: null, iconThemedUrls: null }),
      },
    });
  });

  test.each([
    ["administrator", 404_404, []],
    ["alice", 6, []],
    ["eve", 5, ["UNAUTHENTICATED"]],
  ])("tells %s about connection %i what its refusal means: %j", async (user, id, codes) => {
    const gateway = await startBefore(await start());
    const authorization = `Bearer token-of-${user}`;
    expect(await ask(gateway, QUERY, { id, authorization })).toEqual({
      data: { plexConnection: null },
      codes,
    });
  });
});

test.each(SANDBOX_RELEASES)(
  "in %s sources answer by their key, for administrators and for owners",
  async (release) => {
    const gateway = await startBefore(await startSandbox(release));
    const query =
      "query ($keys: [_Any!]!) { _entities(representations: $keys) { ... on Source { pk slug name } } }";
    const keys = ["a", "b"].map((end) => ({
      __typename: "Source",
      pk: `5eed0000-0000-4000-8000-00000000000${end}`,
    }));
    for (const authorization of ["Bearer token-of-administrator", "Bearer token-of-alice"]) {
      for (const some of [keys.slice(0, 1), keys]) {
        expect(await ask(gateway, query, { keys: some, authorization })).toMatchObject({
          data: { _entities: [{ slug: "plex" }, { slug: "cinema" }].slice(0, some.length) },
          codes: [],
        });
      }
    }
  },
);
