import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AnswerHandler, sendJson } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway, useGateway } from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";
import { randomRepresentations, REFUSED, type Representation } from "./representations.ts";

const FIRST_SEED = 4_711;
const LISTS = 200;

const QUERY = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on PlexSourceConnection { pk identifier }
    ... on Source { sourcePk: pk slug }
  }
}`;

/** Refuses some keys, and answers each batch of calls in an order that nobody asked in. */
const refusing: AnswerHandler = (request, response, fallback) => {
  const refusal = REFUSED[Number(/\/plex\/(\d+)\/$/.exec(request.path)?.[1])];
  setImmediate(() => {
    if (refusal) sendJson(response, refusal.status, refusal.body);
    else fallback();
  });
};

describe("a list of representations", () => {
  const pks = Array.from({ length: 40 }, (_, index) => index + 1);
  // Refusals of single keys are seen by single retrieves only.
  const at = useGateway(beforeAll, { answer: refusing, pks }, { authentik: { list: false } });

  beforeEach(() => {
    at.authentik.requests.length = 0;
  });

  /** Asks for this list, and checks what each place of it gets. */
  async function expectAnswers(gateway: TestGateway, seed: number, list: readonly Representation[]) {
    at.authentik.requests.length = 0;
    const representations = list.map(({ sent }) => sent);
    const { status, data, errors } = await gateway.post(QUERY, { variables: { representations } });
    expect({ seed, status, data, errors: errorsOf(errors) }).toEqual({
      seed,
      status: 200,
      data: { _entities: list.map(({ expected }) => ("entity" in expected ? expected.entity : null)) },
      errors: expectedErrors(list),
    });
  }

  // What nobody catches fails the run.
  it(`keeps its order, answers the good and gives each bad one its own error: ${LISTS} random lists, seeds from ${FIRST_SEED}`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + LISTS; seed += 1) {
      const list = randomRepresentations(createRandom(seed));
      await expectAnswers(at.gateway, seed, list);
      expect({ seed, paths: at.authentik.paths().sort() }).toEqual({ seed, paths: expectedPaths(list) });
    }
  });

  it("gives the same where connections are picked from lists", async () => {
    const listing = await startGateway({ authentikUrl: at.authentik.url });
    let lists = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + LISTS / 2; seed += 1) {
      // What the list does not hold is not there: which keys authentik would refuse is nobody's knowledge then.
      const list = randomRepresentations(createRandom(seed)).filter(
        ({ retrieves }) => retrieves === undefined || REFUSED[retrieves] === undefined,
      );
      await expectAnswers(listing, seed, list);
      lists += at.authentik.paths().filter((path) => path.includes("?ordering=pk")).length;
    }
    expect(lists).toBeGreaterThan(0);
    await listing.close();
  });

  it("of nothing is answered by nothing", async () => {
    const reply = await at.gateway.post(QUERY, { variables: { representations: [] } });
    expect(reply.data).toEqual({ _entities: [] });
    expect(reply.errors).toBeUndefined();
  });

  it.each([
    ["null among its items", { representations: [null, { __typename: "PlexSourceConnection", pk: 1 }] }],
    ["null in its place", { representations: null }],
    ["nothing in its place", {}],
  ])("with %s is refused as a whole, without a call", async (_what, variables) => {
    const reply = await at.gateway.post(QUERY, { variables });
    expect(reply.errors?.map((error) => error.extensions.code)).toEqual(["BAD_USER_INPUT"]);
    expect(reply.data ?? null).toBeNull();
    expect(at.authentik.requests).toEqual([]);
  });

  it("takes keys named __proto__ for what they are: nothing", async () => {
    const body = `{"query":${JSON.stringify(QUERY)},"variables":{"representations":[
      {"__typename":"PlexSourceConnection","__proto__":{"pk":1}},
      {"__proto__":{"__typename":"PlexSourceConnection","pk":1}},
      {"__typename":"PlexSourceConnection","pk":1,"constructor":{"prototype":{"pk":2}}}
    ]}}`;
    const response = await fetch(new URL("/graphql", at.gateway.url), {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer token-of-administrator" },
      body,
    });
    const answer: unknown = await response.json();
    expect(answer).toMatchObject({
      data: { _entities: [null, null, { pk: 1 }] },
      errors: [{ extensions: { code: "BAD_USER_INPUT" } }, { extensions: { code: "BAD_USER_INPUT" } }],
    });
    expect("pk" in {}).toBe(false);
  });
});

function errorsOf(
  errors: readonly { path?: (string | number)[]; extensions: { code: string } }[] | undefined,
): [code: string, path: string][] {
  return (errors ?? [])
    .toSorted((a, b) => Number(a.path?.[1]) - Number(b.path?.[1]))
    .map((error) => [error.extensions.code, (error.path ?? []).join(".")]);
}

function expectedErrors(list: readonly Representation[]): [code: string, path: string][] {
  return list.flatMap(({ expected }, index) =>
    "code" in expected ? [[expected.code, `_entities.${index}`] satisfies [string, string]] : [],
  );
}

function expectedPaths(list: readonly Representation[]): string[] {
  const pks = new Set(list.flatMap(({ retrieves }) => retrieves ?? []));
  return [...pks].map((pk) => `/api/v3/sources/user_connections/plex/${pk}/`).sort();
}
