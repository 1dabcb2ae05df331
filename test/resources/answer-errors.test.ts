import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { times } from "../security/adversarial-documents.ts";

let authentik: FakeAuthentik;
let gateway: TestGateway;
beforeAll(async () => {
  authentik = await startFakeAuthentik();
  gateway = await startGateway({ authentikUrl: authentik.url, gateway: { maxAnswerErrors: 100 } });
});
afterAll(async () => {
  await gateway.close();
  await authentik.close();
});

const representations = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ __typename: "AuthentikUser", pk: index + 1 }));
/** Ten fields of each user that authentik has to be asked for. */
const QUERY = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on AuthentikUser { ${times(10, (i) => `a${i}: plexConnections { pk } `)} } } }`;

const NOTHING = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`a${index}`, null]));

test("an answer has an error for each field that failed, as many as the limit says", async () => {
  const { data, errors } = await gateway.post(QUERY, {
    variables: { r: representations(10) },
    authorization: null,
  });
  expect(data).toEqual({ _entities: Array(10).fill(NOTHING) });
  expect(errors).toHaveLength(100);
  expect(errors?.at(-1)).toMatchObject({
    path: ["_entities", 9, "a9"],
    locations: [{ line: 1 }],
    extensions: { code: "UNAUTHENTICATED" },
  });
});

test.each([
  ["without a credential", null],
  ["with one that authentik refuses", "Bearer made-up"],
])("one that would have more is one error, and nothing looks as if it were not there: %s", async (_, who) => {
  authentik.answer((_request, response) => {
    response.writeHead(403, { "Content-Type": "application/json" }).end('{"detail":"Token invalid/expired"}');
  });
  authentik.requests.length = 0;
  const { data, errors } = await gateway.post(QUERY, {
    variables: { r: representations(11) },
    authorization: who,
  });
  expect(data).toBeNull();
  expect(errors).toMatchObject([
    { extensions: { code: "LIMIT_EXCEEDED", limit: "errors", max: 100, actual: 101 } },
  ]);
  expect(authentik.requests.length).toBeLessThanOrEqual(11);
});
