import { expect, test } from "vitest";
import { invocationOf } from "../src/cli.ts";

test.each([
  ["npm start", { npm_lifecycle_event: "start" }, "/app/dist/main.js"],
  ["node dist/main.js", {}, "/app/dist/main.js"],
  ["node dist/main.js", { npm_lifecycle_event: "test" }, "/app/dist/main.js"],
  ["authentik-graphql", {}, "/usr/local/bin/authentik-graphql"],
])("what was typed: %s", (typed, env, script) => {
  expect(invocationOf(env, script, "/app")).toBe(typed);
});
