import { beforeAll, describe, expect, test } from "vitest";
import { json } from "../support/fake-authentik.ts";
import { useGateway } from "../support/gateway.ts";
import { times } from "../security/adversarial-documents.ts";

const at = useGateway(beforeAll, {}, { gateway: { maxAnswerFields: 1_000 } });

const keys = (__typename: string, count: number) => ({
  r: Array.from({ length: count }, (_, index) => ({ __typename, pk: index + 1 })),
});
const hundred = keys("PlexSourceConnection", 100);
const entities = (name: string, fields: string): string =>
  `${name}: _entities(representations: $r) { ... on PlexSourceConnection { ${fields} } } `;
const users = (count: number): string => times(count, (i) => `a${i}: user `);

const failing = (aliases: number): string =>
  `query($r: [_Any!]!) { _entities(representations: $r) {
    ... on AuthentikUser { pk ${times(aliases, (i) => `a${i}: plexConnections { pk } `)} }
  } viewer: authentikViewer { pk } }`;

test.each([
  ["the list that goes beyond it", entities("a", users(5)) + entities("b", users(6)), "b"],
  ["fields with fields of their own, which count as ten,", entities("a", "source { pk }"), "a"],
])("%s is refused, with what there would be", async (_what, fields, path) => {
  const query = `query($r: [_Any!]!) { ${fields} one: plexConnection(id: 5) { pk } }`;
  const { errors } = await at.gateway.post(query, { variables: hundred });
  const extensions = { code: "LIMIT_EXCEEDED", limit: "answerFields", max: 1_000, actual: 1_100 };
  expect(errors).toMatchObject([{ path: [path], extensions }]);
});

describe("fields of 20 users that fail, as authentik refuses the credential,", () => {
  const at = useGateway(beforeAll, {}, { gateway: { maxErrors: 100 } });
  const variables = keys("AuthentikUser", 20);

  test("have an error each, up to the limit", async () => {
    at.authentik.answer((_request, response) => json(403, { detail: "Token invalid/expired" })(response));
    const within = await at.gateway.post(failing(5), { variables });
    expect(within.codes).toEqual(Array(101).fill("UNAUTHENTICATED"));

    const beyond = await at.gateway.post(failing(20), { variables });
    expect(beyond.codes.filter((code) => code === "UNAUTHENTICATED")).toHaveLength(101);
    expect(beyond.codes).toHaveLength(102);
    expect(beyond.errors).toContainEqual(
      expect.objectContaining({
        message: "Further fields failed as well, and are null without an error.",
        extensions: expect.objectContaining({ code: "LIMIT_EXCEEDED", limit: "errors", max: 100 }),
      }),
    );
    const nulls = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a${i}`, null]));
    expect(beyond.data?.["_entities"]).toEqual(variables.r.map(({ pk }) => ({ pk, ...nulls })));
  });
});
