import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createSchema, FEDERATION_LINK_URL } from "../src/graphql/schema.ts";
import { createSandbox } from "../src/sandbox/sandbox.ts";
import { startGateway } from "./support/gateway.ts";

/** The README's questions, each with the answer that stands below it. */
async function questions(): Promise<{ query: string; answer: unknown }[]> {
  const text = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const pairs = text.matchAll(/```graphql\n((?:query|mutation) [^`]*)```\n\n```json\n([^`]*)```/g);
  return [...pairs].map(([, query = "", answer = ""]) => ({ query, answer: JSON.parse(answer) as unknown }));
}

test("the questions of the README get the answers of the README", async () => {
  const sandbox = await createSandbox({ release: "2025.12" });
  const schema = createSchema({ federationLinkUrl: FEDERATION_LINK_URL, mutations: true });
  const gateway = await startGateway({ authentikUrl: sandbox.url, schema });
  const all = await questions();
  expect(all.length).toBeGreaterThanOrEqual(8);
  for (const { query, answer } of all) {
    const authorization = `Bearer token-of-${query.includes("MyLinks") ? "alice" : "administrator"}`;
    // oxlint-disable-next-line no-await-in-loop -- in the README's order: the last one deletes
    const { data, errors } = await gateway.post(query, { authorization });
    expect({ query, data, errors }).toEqual({ query, ...(answer as object), errors: undefined });
  }
  await gateway.close();
  await sandbox.close();
});
