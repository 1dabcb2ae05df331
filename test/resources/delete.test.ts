import { expect, test } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { json, page } from "../support/fake-authentik.ts";
import { sandboxGatewayForTest } from "../support/sandbox-gateway.ts";
import { testSchema } from "../support/schema.ts";

const MUTATIONS = { mutations: true };
const DELETE = `mutation ($id: ID!) { plexConnectionDelete(input: { id: $id }) {
  deletedId userErrors { code field message }
} }`;
/** What comes of deleting connection 5. */
const deleted = (deletedId: string | null, userErrors: object[] = []) => ({
  data: { plexConnectionDelete: { deletedId, userErrors } },
  errors: [],
  calls: ["/sources/user_connections/plex/5/"],
});
const NOT_FOUND = deleted(null, [
  { code: "NOT_FOUND", field: ["input", "id"], message: expect.any(String) as string },
]);

test.each(["administrator", "alice"])(
  "%s deletes alice's connection, once; a stranger does not find it",
  async (user) => {
    const at = await sandboxGatewayForTest("2025.12", MUTATIONS);
    expect(await at.ask("stranger", DELETE, { id: 5 })).toEqual(NOT_FOUND);
    expect([...at.directory.connections.keys()]).toEqual([5, 6, 7]);
    expect(await at.ask(user, DELETE, { id: 5 })).toEqual(deleted("5"));
    expect(at.authentik.requests[0]?.method).toBe("DELETE");
    expect([...at.directory.connections.keys()]).toEqual([6, 7]);
    expect(await at.ask(user, DELETE, { id: 5 })).toEqual(NOT_FOUND);
  },
);

test.each([
  ["a wrong id", "administrator", "05", "BAD_USER_INPUT"],
  ["a caller without credentials", null, "5", "UNAUTHENTICATED"],
])("%s costs nothing", async (_what, user, id, code) => {
  const { ask } = await sandboxGatewayForTest("2025.4", MUTATIONS);
  expect(await ask(user, DELETE, { id })).toEqual({
    data: { plexConnectionDelete: null },
    errors: [`plexConnectionDelete ${code}`],
    calls: [],
  });
});

test.each([
  ["an answer that tells nothing", page(502, "Bad Gateway"), "UPSTREAM_UNAVAILABLE"],
  ["an answer that authentik does not give", json(200, { hello: 1 }), "UPSTREAM_INVALID_RESPONSE"],
  ["the refusal of what may be seen only", json(403, { detail: "No permission." }), "FORBIDDEN"],
])("%s is an error, and nothing is sent again", async (_what, answer, code) => {
  const { gateway, authentik } = await sandboxGatewayForTest("2025.12", MUTATIONS);
  authentik.answer((_request, response) => answer(response));
  const { errors } = await gateway.post(DELETE, { variables: { id: 5 } });
  expect(errors).toMatchObject([{ path: ["plexConnectionDelete"], extensions: { code } }]);
  expect(authentik.requests).toHaveLength(1);
});

test("without the option there is no mutation, nor any type that only one needs", () => {
  expect(printSchema(testSchema())).not.toMatch(/Mutation|Delete|UserError/);
  expect(printSchema(testSchema(MUTATIONS))).toContain("plexConnectionDelete");
});
