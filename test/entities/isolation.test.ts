import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AnswerHandler, sendJson } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway, useGateway } from "../support/gateway.ts";
import { BAD, existing, missing, REFUSED, type Representation } from "./representations.ts";

const QUERY = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on PlexSourceConnection { pk identifier }
  }
}`;

const waiting: (() => void)[] = [];
/** Refuses some keys, and answers what has come by then the last first. */
const refusing: AnswerHandler = (request, response, fallback) => {
  const refusal = REFUSED[Number(/\/plex\/(\d+)\/$/.exec(request.path)?.[1])];
  waiting.push(() => (refusal ? sendJson(response, refusal.status, refusal.body) : fallback()));
  setTimeout(() => waiting.pop()?.(), 1);
};

async function expectAnswers(gateway: TestGateway, list: readonly Representation[]) {
  const representations = list.map(({ sent }) => sent);
  const { status, data, errors = [] } = await gateway.post(QUERY, { variables: { representations } });
  expect([status, data]).toEqual([200, { _entities: list.map(({ entity }) => entity) }]);
  const seen = errors.map(({ path, extensions }) => `${path?.join(".")} ${extensions.code}`);
  const expected = list.flatMap(({ code }, index) => (code ? [`_entities.${index} ${code}`] : []));
  expect(seen.toSorted()).toEqual(expected.toSorted());
}

describe("a list of representations", () => {
  const pks = Array.from({ length: 40 }, (_, index) => index + 1);
  // Refusals of single keys are seen by single retrieves only.
  const at = useGateway(beforeAll, { answer: refusing, pks }, { authentik: { list: false } });

  beforeEach(() => {
    at.authentik.requests.length = 0;
  });

  // What nobody catches fails the run.
  test("keeps its order, answers the good, asks for each once, and gives each bad one its own error", async () => {
    const refused = [...Object.keys(REFUSED).map(Number), 900];
    const asked = [...pks.map(existing), ...refused.map(missing)];
    for (const list of [
      [...asked, ...BAD],
      [...BAD, ...asked.toReversed(), existing(7), missing(62)],
    ]) {
      at.authentik.requests.length = 0;
      await expectAnswers(at.gateway, list);
      const paths = [...pks, ...refused].map((pk) => `/api/v3/sources/user_connections/plex/${pk}/`);
      expect(at.authentik.paths().toSorted()).toEqual(paths.toSorted());
    }
  });

  test("gives the same where connections are picked from a list", async () => {
    const listing = await startGateway({ authentikUrl: at.authentik.url });
    await expectAnswers(listing, [...pks.map(existing), ...BAD, missing(900)]);
    expect(at.authentik.paths()).toEqual([expect.stringContaining("?ordering=pk&page=1&")]);
    await listing.close();
  });

  test.each([
    ["null among its items", { representations: [null, { __typename: "PlexSourceConnection", pk: 1 }] }],
    ["nothing in its place", {}],
  ])("with %s is refused as a whole, without a call", async (_what, variables) => {
    const reply = await at.gateway.post(QUERY, { variables });
    expect([reply.codes, reply.data ?? null]).toEqual([["BAD_USER_INPUT"], null]);
    expect(at.authentik.requests).toEqual([]);
  });
});
