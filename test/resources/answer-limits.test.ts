import { beforeAll, describe, expect, test } from "vitest";
import { sendJson, sendPage } from "../support/fake-authentik.ts";
import { TOKEN, useGateway } from "../support/gateway.ts";
import { times } from "../security/adversarial-documents.ts";

const at = useGateway(beforeAll, {}, { gateway: { maxAnswerFields: 1_000 } });

const representations = Array.from({ length: 100 }, (_, index) => ({
  __typename: "PlexSourceConnection",
  pk: index + 1,
}));
const entities = (name: string, fields: number): string =>
  `${name}: _entities(representations: $r) { ... on PlexSourceConnection { ${times(fields, (i) => `a${i}: user `)} } }`;

const failing = (aliases: number): string =>
  `query($r: [_Any!]!) { _entities(representations: $r) {
    ... on AuthentikUser { pk ${times(aliases, (i) => `a${i}: plexConnections { pk } `)} }
  } viewer: authentikViewer { pk } }`;

test("lists may have so many fields together as the limit says", async () => {
  const query = `query($r: [_Any!]!) { ${entities("a", 5)} ${entities("b", 5)} }`;
  const { data, errors } = await at.gateway.post(query, { variables: { r: representations } });
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({ a: expect.any(Array), b: expect.any(Array) });
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

test("fields with fields of their own count as ten", async () => {
  const query = `query($r: [_Any!]!) { ${entities("a", 0).replace("{  }", "{ source { pk } }")} }`;
  const { errors } = await at.gateway.post(query, { variables: { r: representations } });
  expect(errors).toMatchObject([{ extensions: { limit: "answerFields", max: 1_000, actual: 1_100 } }]);
});

describe("fields of 20 users that fail", () => {
  const at = useGateway(beforeAll, {}, { gateway: { maxErrors: 100 } });
  const users = Array.from({ length: 20 }, (_, index) => ({ __typename: "AuthentikUser", pk: index + 1 }));
  const variables = { r: users };
  const codes = ({ errors }: Awaited<ReturnType<typeof at.gateway.post>>): unknown[] =>
    errors?.map(({ extensions }) => extensions.code) ?? [];

  test.each([
    ["without a credential", null, "UNAUTHENTICATED"],
    ["with one that authentik refuses", TOKEN, "UNAUTHENTICATED"],
    ["while authentik fails", TOKEN, "UPSTREAM_ERROR"],
  ])("%s have an error each, up to the limit", async (_when, authorization, code) => {
    const status = code === "UNAUTHENTICATED" ? 403 : 500;
    at.authentik.answer((_request, response) =>
      status === 403
        ? sendJson(response, 403, { detail: "Token invalid/expired" })
        : sendPage(response, 500, "Server Error"),
    );
    const within = await at.gateway.post(failing(5), { variables, authorization });
    expect(codes(within)).toEqual(Array(101).fill(code));

    const beyond = await at.gateway.post(failing(20), { variables, authorization });
    expect(codes(beyond).filter((one) => one === code)).toHaveLength(101);
    expect(beyond.errors).toContainEqual(
      expect.objectContaining({
        message: "Further fields failed as well, and are null without an error.",
        extensions: expect.objectContaining({ code: "LIMIT_EXCEEDED", limit: "errors", max: 100 }),
      }),
    );
    expect(beyond.errors).toHaveLength(102);
    expect(beyond.data?.["_entities"]).toEqual(
      users.map(({ pk }) => ({
        pk,
        ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a${i}`, null])),
      })),
    );
  });
});

describe("operations of a batch of which each has more errors than may be told", () => {
  const at = useGateway(beforeAll, {}, { gateway: { maxErrors: 3, batchLimit: 3 } });

  test("each say so, and leave no null without a reason", async () => {
    const query = `{ plexAccount(id: 1) { ${times(5, (i) => `a${i}: plexConnections { pk } `)} } }`;
    const batch = Array.from({ length: 3 }, () => ({ query }));
    const response = await fetch(new URL("/graphql", at.gateway.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(batch),
    });
    const replies = (await response.json()) as Awaited<ReturnType<typeof at.gateway.post>>[];
    const codes = replies.map(({ errors }) => errors?.map(({ extensions }) => extensions.code));
    const each = [...Array<string>(3).fill("UNAUTHENTICATED"), "LIMIT_EXCEEDED"];
    expect(codes).toEqual([each, each, each]);
  });
});
