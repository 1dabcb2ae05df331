import { beforeAll, expect, test } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { times } from "../security/adversarial-documents.ts";

const at = useGateway(beforeAll, {}, { gateway: { maxAnswerFields: 1_000 } });

const representations = Array.from({ length: 100 }, (_, index) => ({
  __typename: "PlexSourceConnection",
  pk: index + 1,
}));
const entities = (name: string, fields: number): string =>
  `${name}: _entities(representations: $r) { ... on PlexSourceConnection { ${times(fields, (i) => `a${i}: user `)} } }`;

test("lists may have so many fields together as the limit says", async () => {
  const query = `query($r: [_Any!]!) { ${entities("a", 5)} ${entities("b", 5)} }`;
  const { data, errors } = await at.gateway.post(query, { variables: { r: representations } });
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({ a: expect.any(Array), b: expect.any(Array) });
});

test.each([
  [5, "each entity", 100],
  [6, "the list", 1],
])("of 100 entities with %i fields and without a credential %s is refused", async (fields, _what, errors) => {
  at.authentik.requests.length = 0;
  const query = `query($r: [_Any!]!) { ${entities("e", fields)} }`;
  const variables = { r: representations };
  const result = await at.gateway.post(query, { variables, authorization: null });
  expect(result.errors?.map(({ extensions }) => extensions?.["code"])).toEqual(
    Array(errors).fill("UNAUTHENTICATED"),
  );
  expect(at.authentik.requests).toEqual([]);
});

test("the list that goes beyond it is refused, with what there would be", async () => {
  const query = `query($r: [_Any!]!) { ${entities("a", 5)} ${entities("b", 6)} one: plexConnection(id: 5) { pk } }`;
  const { errors } = await at.gateway.post(query, { variables: { r: representations } });
  expect(errors).toMatchObject([
    {
      path: ["b"],
      extensions: { code: "LIMIT_EXCEEDED", limit: "answerFields", max: 1_000, actual: 1_100 },
    },
  ]);
});
