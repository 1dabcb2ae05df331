import { describe, expect, onTestFinished, test } from "vitest";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { SANDBOX_RELEASES } from "../../src/sandbox/releases.ts";
import { readRecordedCases } from "../sandbox/recordings.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

/** Releases whose answers were recorded from real servers. */
const RECORDED = ["2024.2.4", "2024.8.1", "2025.8.1", "2025.10.0-rc1"];

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
async function replay(release: string) {
  const cases = readRecordedCases(release);
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  authentik.answer((request, response) => {
    const sent = request.headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
    const recorded = cases.find(
      ({ request: { method, path, headers } }) =>
        method === "GET" && path === request.path && headers["Authorization"] === sent,
    );
    if (!recorded) {
      response.writeHead(404, { "Content-Type": "text/html" }).end("<html>not recorded</html>");
      return;
    }
    const { status, headers, body } = recorded.response;
    const payload = JSON.stringify(body);
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(payload) }).end(payload);
  });
  return authentik;
}

async function gatewayTo(authentikUrl: URL): Promise<TestGateway> {
  const gateway = await startGateway({ authentikUrl });
  onTestFinished(() => gateway.close());
  return gateway;
}

const ADMINISTRATOR = { authorization: "Bearer token-of-administrator" };

async function connection(gateway: TestGateway, id: number | string) {
  const reply = await gateway.post(QUERY, { variables: { id }, ...ADMINISTRATOR });
  expect(reply.errors).toBeUndefined();
  expect(reply.text).not.toContain(CANARY);
  return reply.data?.["plexConnection"];
}

describe.each(RECORDED)("as recorded from a real authentik %s", (release) => {
  test("every connection answers through the same graph", async () => {
    const authentik = await replay(release);
    const gateway = await gatewayTo(authentik.url);
    for (const [id, shared] of Object.entries(SHARED))
      expect(await connection(gateway, id)).toMatchObject(shared);
    expect(JSON.stringify(gateway.records)).not.toContain(CANARY);
  });

  test("what a release lacks is null, what it has is there", async () => {
    const authentik = await replay(release);
    const answer = await connection(await gatewayTo(authentik.url), 5);
    // Oldest first, so that a place in the list says what is newer.
    const lacks = (since: string) => RECORDED.indexOf(release) < RECORDED.indexOf(since);
    const there: unknown = expect.anything();
    const has = (since: string) => (lacks(since) ? null : there);
    expect(answer).toMatchObject({
      created: has("2024.8.1"),
      lastUpdated: has("2025.8.1"),
      source: {
        userPropertyMappings: has("2024.8.1"),
        groupPropertyMappings: has("2024.8.1"),
        promoted: null,
        iconUrl: null,
        iconThemedUrls: null,
      },
    });
  });

  test("the recorded errors become ours", async () => {
    const authentik = await replay(release);
    const gateway = await gatewayTo(authentik.url);
    const codeFor = async (id: number, authorization: string) => {
      const { data, errors } = await gateway.post(QUERY, { variables: { id }, authorization });
      expect(data).toEqual({ plexConnection: null });
      return errors?.map(({ extensions }) => extensions.code) ?? [];
    };
    expect(await codeFor(404_404, "Bearer token-of-administrator")).toEqual([]);
    expect(await codeFor(6, "Bearer token-of-alice")).toEqual([]);
    expect(await codeFor(5, "Bearer token-of-eve")).toEqual(["UNAUTHENTICATED"]);
  });

  test("connections picked from the recorded list equal the retrieved ones", async () => {
    const whole = readRecordedCases(release).find(
      ({ name, response }) => name === "list ?ordering=pk&page_size=100" && hasRow(response.body, 5),
    );
    expect(whole).toBeDefined();
    const authentik = await replay(release);
    const gateway = await gatewayTo(authentik.url);
    const alone = await connection(gateway, 5);
    authentik.answer((request, response, fallback) => {
      if (!request.path.includes("?")) fallback();
      else
        response
          .writeHead(200, { "Content-Type": "application/json" })
          .end(JSON.stringify(whole?.response.body));
    });
    const { data, text } = await gateway.post(
      QUERY.replace(
        "plexConnection(id: $id)",
        "other: plexConnection(id: 424242) { pk } plexConnection(id: $id)",
      ),
      { variables: { id: 5 }, ...ADMINISTRATOR },
    );
    expect(text).not.toContain(CANARY);
    expect(data?.["plexConnection"]).toEqual(alone);
  });
});

function hasRow(body: unknown, pk: number): boolean {
  const rows = typeof body === "object" && body !== null && "results" in body ? body.results : null;
  return (
    Array.isArray(rows) &&
    rows.some((row: unknown) => typeof row === "object" && row !== null && "pk" in row && row.pk === pk)
  );
}

describe.each(SANDBOX_RELEASES)("as the sandbox answers for %s", (release) => {
  test("every connection answers through the same graph, alone and from the list", async () => {
    const sandbox = await createSandbox({ release });
    onTestFinished(() => sandbox.close());
    const gateway = await gatewayTo(sandbox.url);
    for (const [id, shared] of Object.entries(SHARED)) {
      const alone = await connection(gateway, id);
      expect(alone).toMatchObject(shared);
      const { data, errors, text } = await gateway.post(
        QUERY.replace(
          "plexConnection(id: $id)",
          "missing: plexConnection(id: 424242) { pk } plexConnection(id: $id)",
        ),
        { variables: { id }, ...ADMINISTRATOR },
      );
      expect(errors).toBeUndefined();
      expect(text).not.toContain(CANARY);
      expect(data).toEqual({ missing: null, plexConnection: alone });
    }
  });

  test("sources answer by their key, for administrators and for owners", async () => {
    const sandbox = await createSandbox({ release });
    onTestFinished(() => sandbox.close());
    const gateway = await gatewayTo(sandbox.url);
    const query = `query ($keys: [_Any!]!) { _entities(representations: $keys) { ... on Source { pk slug name } } }`;
    const keys = ["a", "b"].map((end) => ({
      __typename: "Source",
      pk: `5eed0000-0000-4000-8000-00000000000${end}`,
    }));
    for (const authorization of ["Bearer token-of-administrator", "Bearer token-of-alice"]) {
      for (const some of [keys.slice(0, 1), keys]) {
        const { data, errors, text } = await gateway.post(query, {
          variables: { keys: some },
          authorization,
        });
        expect(errors).toBeUndefined();
        expect(text).not.toContain(CANARY);
        expect(data).toMatchObject({
          _entities: [{ slug: "plex" }, { slug: "cinema" }].slice(0, some.length),
        });
      }
    }
  });
});
