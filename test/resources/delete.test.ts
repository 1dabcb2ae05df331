import { afterEach, describe, expect, test } from "vitest";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import { printSchema } from "../../src/graphql/print.ts";
import { type HouseGateway, SHAPES, startHouse } from "../support/house-gateway.ts";

const DELETE = `mutation ($id: ID!) { plexConnectionDelete(input: { id: $id }) {
  deletedId userErrors { code field message }
} }`;
const NOT_FOUND = {
  plexConnectionDelete: {
    deletedId: null,
    userErrors: [{ code: "NOT_FOUND", field: ["input", "id"], message: expect.any(String) as string }],
  },
};

let at: HouseGateway | null = null;
afterEach(async () => {
  await at?.close();
  at = null;
});

describe.each(SHAPES)("authentik %s", (shape) => {
  test.each(["administrator", "alice"])("%s deletes alice's connection, once", async (user) => {
    at = await startHouse(shape, { mutations: true });
    const { data, errors, calls } = await at.ask(user, DELETE, { id: 5 });
    expect(errors).toEqual([]);
    expect(data).toEqual({ plexConnectionDelete: { deletedId: "5", userErrors: [] } });
    expect(calls).toEqual(["/sources/user_connections/plex/5/"]);
    expect(at.authentik.requests[0]?.method).toBe("DELETE");
    expect([...at.house.connections.keys()]).toEqual([6, 7]);
    expect(await at.ask(user, DELETE, { id: 5 })).toMatchObject({ data: NOT_FOUND, errors: [] });
    expect((await at.ask(user, "{ plexConnection(id: 5) { pk } }")).data).toEqual({ plexConnection: null });
  });

  test("what is somebody else's is not found", async () => {
    at = await startHouse(shape, { mutations: true });
    expect(await at.ask("stranger", DELETE, { id: 5 })).toMatchObject({ data: NOT_FOUND, errors: [] });
    expect(at.house.connections.size).toBe(3);
  });
});

test("a wrong id and a caller without credentials cost nothing", async () => {
  at = await startHouse("2025.4", { mutations: true });
  expect(await at.ask("administrator", DELETE, { id: "05" })).toEqual({
    data: { plexConnectionDelete: null },
    errors: ["plexConnectionDelete BAD_USER_INPUT"],
    calls: [],
  });
  expect(await at.ask(null, DELETE, { id: 5 })).toMatchObject({
    errors: ["plexConnectionDelete UNAUTHENTICATED"],
    calls: [],
  });
});

test("an answer that tells nothing is an error, and nothing is sent again", async () => {
  at = await startHouse("2025.4", { mutations: true });
  at.authentik.answer((_request, response) => void response.writeHead(502).end());
  const { errors, calls } = await at.ask("administrator", DELETE, { id: 5 });
  expect(errors).toEqual(["plexConnectionDelete UPSTREAM_UNAVAILABLE"]);
  expect(calls).toHaveLength(1);
});

test("who may see it and not delete it is FORBIDDEN", async () => {
  at = await startHouse("2025.12", { mutations: true });
  at.authentik.answer((_request, response) => {
    response.writeHead(403, { "content-type": "application/json" });
    response.end(JSON.stringify({ detail: "You do not have permission to perform this action." }));
  });
  const { errors } = await at.ask("administrator", DELETE, { id: 5 });
  expect(errors).toEqual(["plexConnectionDelete FORBIDDEN"]);
});

test("without the option there is no mutation, nor any type that only one needs", () => {
  const options = { federationLinkUrl: FEDERATION_LINK_URL };
  const without = printSchema(createSchema(options));
  expect(without).not.toMatch(/Mutation|Delete|UserError/);
  expect(printSchema(createSchema({ ...options, mutations: true }))).toContain("plexConnectionDelete");
});
