import { beforeAll, beforeEach, expect, test } from "vitest";
import { HOSTILE_KEYS } from "../entities/representations.ts";
import { useGateway } from "../support/gateway.ts";

const at = useGateway(beforeAll);
beforeEach(() => {
  at.authentik.requests.length = 0;
});

const QUERY = "query ($id: ID!) { plexConnection(id: $id) { id pk } }";

test.each([5, "5"])("%j names connection 5", async (id) => {
  const { data, errors } = await at.gateway.post(QUERY, { variables: { id } });
  expect(errors).toBeUndefined();
  expect(data).toEqual({ plexConnection: { id: "5", pk: 5 } });
  expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
});

test('5 and "5" in one operation are one call', async () => {
  const { data } = await at.gateway.post(
    `{ a: plexConnection(id: 5) { id } b: plexConnection(id: "5") { id } }`,
  );
  expect(data).toEqual({ a: { id: "5" }, b: { id: "5" } });
  expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
});

/** Others are no ID at all. */
const REFUSED = HOSTILE_KEYS.filter((id) => typeof id === "string" || Number.isInteger(id));

test.each(REFUSED)("%j is BAD_USER_INPUT and costs no call", async (id) => {
  const { data, errors } = await at.gateway.post(QUERY, { variables: { id } });
  expect(data).toEqual({ plexConnection: null });
  expect(errors).toHaveLength(1);
  expect(errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
  expect(errors?.[0]?.path).toEqual(["plexConnection"]);
  expect(at.authentik.paths()).toEqual([]);
});

test.each([1.5, true, ["5"], { id: 5 }, null])(
  "the variable %j is BAD_USER_INPUT and costs no call",
  async (id) => {
    const { errors } = await at.gateway.post(QUERY, { variables: { id } });
    expect(errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
    expect(at.authentik.paths()).toEqual([]);
  },
);

test.each([
  ["05", "begins with a zero"],
  ["0", "none before 1"],
  ["-1", "negative"],
  ["2147483648", "too large"],
  ["", "empty"],
  [" 5", "a space around it"],
  ["1.5", "a fraction"],
  ["٥", "write the digits 0 to 9"],
  ["abc", "something else"],
])("the sentence says what is wrong with %j", async (id, wrong) => {
  const { errors } = await at.gateway.post(QUERY, { variables: { id } });
  expect(errors?.[0]?.message).toContain(wrong);
});

test("a bad id leaves its siblings alone", async () => {
  const { data, errors } = await at.gateway.post(
    `{ good: plexConnection(id: 7) { pk } bad: plexConnection(id: "07") { pk } }`,
  );
  expect(data).toEqual({ good: { pk: 7 }, bad: null });
  expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
    [["bad"], "BAD_USER_INPUT"],
  ]);
  expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/7/"]);
});

test("the largest id is asked for", async () => {
  const { data, errors } = await at.gateway.post(QUERY, { variables: { id: "2147483647" } });
  expect(errors).toBeUndefined();
  expect(data).toEqual({ plexConnection: null });
  expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/2147483647/"]);
});
