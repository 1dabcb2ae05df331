import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { askBody } from "../support/ask.ts";
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

const waiting: (() => void)[] = [];
/** Refuses some keys, and answers what has come by then the last first. */
const refusing: AnswerHandler = (request, response, fallback) => {
  const refusal = REFUSED[Number(/\/plex\/(\d+)\/$/.exec(request.path)?.[1])];
  waiting.push(() => (refusal ? sendJson(response, refusal.status, refusal.body) : fallback()));
  setTimeout(() => waiting.pop()?.(), 1);
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
    const { status, data, errors = [] } = await gateway.post(QUERY, { variables: { representations } });
    const seen = errors.map(({ path, extensions }) => `${path?.join(".")} ${extensions.code}`);
    const expected = list.flatMap(({ expected }, index) =>
      "code" in expected ? [`_entities.${index} ${expected.code}`] : [],
    );
    expect({ seed, status, data, errors: seen.sort() }).toEqual({
      seed,
      status: 200,
      data: { _entities: list.map(({ expected }) => ("entity" in expected ? expected.entity : null)) },
      errors: expected.sort(),
    });
  }

  // What nobody catches fails the run.
  it(`keeps its order, answers the good and gives each bad one its own error: ${LISTS} random lists, seeds from ${FIRST_SEED}`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + LISTS; seed += 1) {
      const list = randomRepresentations(createRandom(seed));
      await expectAnswers(at.gateway, seed, list);
      const pks = new Set(list.flatMap(({ retrieves }) => retrieves ?? []));
      const paths = [...pks].map((pk) => `/api/v3/sources/user_connections/plex/${pk}/`).sort();
      expect({ seed, paths: at.authentik.paths().sort() }).toEqual({ seed, paths });
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
    const { result } = await at.gateway.post(QUERY, { variables: { representations: [] } });
    expect(result).toEqual({ data: { _entities: [] } });
  });

  it.each([
    ["null among its items", { representations: [null, { __typename: "PlexSourceConnection", pk: 1 }] }],
    ["null in its place", { representations: null }],
    ["nothing in its place", {}],
  ])("with %s is refused as a whole, without a call", async (_what, variables) => {
    const reply = await at.gateway.post(QUERY, { variables });
    expect([reply.codes, reply.data ?? null]).toEqual([["BAD_USER_INPUT"], null]);
    expect(at.authentik.requests).toEqual([]);
  });

  it("takes keys named __proto__ for what they are: nothing", async () => {
    const body = `{"query":${JSON.stringify(QUERY)},"variables":{"representations":[
      {"__typename":"PlexSourceConnection","__proto__":{"pk":1}},
      {"__proto__":{"__typename":"PlexSourceConnection","pk":1}},
      {"__typename":"PlexSourceConnection","pk":1,"constructor":{"prototype":{"pk":2}}}
    ]}}`;
    const { data, codes } = await askBody(at.gateway.url, body);
    expect(data).toMatchObject({ _entities: [null, null, { pk: 1 }] });
    expect(codes).toEqual(["BAD_USER_INPUT", "BAD_USER_INPUT"]);
    expect("pk" in {}).toBe(false);
  });
});
