import { beforeAll, beforeEach, expect, test } from "vitest";
import { useGateway } from "../support/gateway.ts";

const at = useGateway(beforeAll);
beforeEach(() => {
  at.authentik.requests.length = 0;
});

test.each([
  ["05", "begins with a zero"],
  ["0", "none before 1"],
  ["-1", "negative"],
  ["2147483648", "too large"],
  ["", "empty"],
  [" 5", "a space around it"],
  ["1.5", "a fraction"],
  ["٥", "write the digits 0 to 9"],
  ["../../core/users/1", "something else"],
])(
  "%j costs no call, the sentence says what is wrong with it, and its siblings are answered",
  async (id, wrong) => {
    const { data, errors } = await at.gateway.post(
      "query ($id: ID!) { good: plexConnection(id: 7) { pk } bad: plexConnection(id: $id) { pk } }",
      { variables: { id } },
    );
    expect(data).toEqual({ good: { pk: 7 }, bad: null });
    expect(errors).toMatchObject([
      { path: ["bad"], extensions: { code: "BAD_USER_INPUT" }, message: expect.stringContaining(wrong) },
    ]);
    expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/7/"]);
  },
);

test("the largest id is asked for, and null where there is none", async () => {
  const { result } = await at.gateway.post("{ plexConnection(id: 2147483647) { pk } }");
  expect(result).toEqual({ data: { plexConnection: null } });
  expect(at.authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/2147483647/"]);
});
