import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ONE, SIBLINGS } from "./programs/operations.mjs";
import { packageFolder, run, runClient } from "./support.ts";

const one = { plexConnection: { identifier: "70000007", user: 1007 } };
const siblings = { a: { user: 1005 }, bad: null, b: { user: 1006 } };
const codes = ["bad BAD_USER_INPUT"];

test.each([
  ["graphql-request", "", ["POST query 200", "POST query 200"]],
  ["batch-execute", ", merged into one operation", ["POST query 200"]],
])("one connection by a variable, and siblings of a wrong id, with %s%s", async (client, _how, sent) => {
  expect(await runClient([client])).toEqual({ one, siblings, codes, sent, asked: ["7", "5", "6"] });
});

describe("persisted queries: unknown, then registered, then by their hash alone, with", () => {
  const byPost = ["POST hash 200", "POST query+hash 200", "POST hash 200", "POST hash 200"];
  const byGet = ["GET hash 200", "POST query+hash 200", "GET hash 200", "GET hash 200"];
  /** urql stays with its method when it registers. */
  const byGetAlone = byGet.map((line) => line.replace("POST", "GET"));
  const expected = { one, byHash: one, siblings, codes, asked: ["7", "7", "5", "6"] };

  test.each([
    ["@apollo/client 4 POST", byPost],
    ["@apollo/client 4 GET", byGet],
    ["@apollo/client 3 POST", byPost],
    ["@apollo/client 3 GET", byGet],
    ["@urql/exchange-persisted POST", byPost],
    ["@urql/exchange-persisted GET", byGetAlone],
  ])("%s", async (client, sent) => {
    // Some ask for every __typename as well.
    expect(await runClient(client.split(" "))).toMatchObject({ ...expected, sent: [...sent, sent[1]] });
  });

  test("@apollo/gateway and apq", async () => {
    // The SDL is one more operation of its own, in front of them.
    const sent = ["POST hash 200", "POST query+hash 200", ...byPost, byPost[1]];
    expect(await runClient(["@apollo/gateway"])).toEqual({ ...expected, sent });
  });
});

const venv = join(packageFolder, ".cache/venv");
const python = join(venv, "bin/python");

/** Installs Python's client. Node and npm are all that the tests ask for: without Python this one is left out, but not in CI. */
async function installGql(): Promise<boolean> {
  const requirements = ["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"];
  try {
    if (!existsSync(python)) await run("python3", ["-m", "venv", venv]);
    await run(python, ["-c", "import gql, requests"]).catch(() => run(python, requirements));
    return true;
  } catch (error) {
    if (process.env["CI"]) throw error;
    return false;
  }
}

test.skipIf(!(await installGql()))("Python's gql with requests, its schema fetched first", async () => {
  const outcome = await runClient([ONE, SIBLINGS], [python, "programs/python_gql.py"]);
  expect(outcome).toEqual({ one, siblings, codes, asked: ["7", "5", "6"] });
});
