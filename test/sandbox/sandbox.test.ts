import { expect, test } from "vitest";
import { connections, startSandbox } from "./start.ts";

const FIVE = `${connections}5/`;

test("the tokens mean what they say", async () => {
  const { ask, tokens } = await startSandbox();
  const { administrator, owner, otherOwner, stranger, expired } = tokens;
  const paths = [FIVE, connections, "/sources/plex/", "/core/users/42/", "/core/users/me/"];
  const seen = [administrator, owner, otherOwner, stranger, expired].map(({ token }) =>
    Promise.all(paths.map(async (path) => (await ask(path, { token })).status)),
  );
  expect(await Promise.all(seen)).toEqual([
    [200, 200, 200, 200, 200],
    [200, 200, 403, 403, 200],
    [404, 200, 403, 403, 200],
    [404, 200, 403, 403, 200],
    [403, 403, 403, 403, 403],
  ]);
});

test("a connection is removed for this sandbox alone, and not by who only may see it", async () => {
  const [one, other] = [await startSandbox(), await startSandbox()];
  expect(await one.ask(FIVE, { method: "DELETE" })).toEqual({ status: 204, body: "" });
  expect((await one.ask(FIVE)).status).toBe(404);
  expect((await other.ask(FIVE, { method: "DELETE", token: "token-of-operator" })).status).toBe(403);
  expect((await other.ask(FIVE, { method: "PATCH" })).status).toBe(405);
  expect((await other.ask(FIVE)).status).toBe(200);
});
