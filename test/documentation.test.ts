import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { helpMarkdown } from "../src/config/help.ts";
import { createSchema, FEDERATION_LINK_URL } from "../src/graphql/schema.ts";
import { createSandbox } from "../src/sandbox/sandbox.ts";
import { startGateway } from "./support/gateway.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("the questions of the README get the answers of the README", async () => {
  const pairs = read("README.md").matchAll(
    /```graphql\n((?:query|mutation) [^`]*)```\n\n```json\n([^`]*)```/g,
  );
  const questions = [...pairs].map(([, query = "", answer = ""]) => ({
    query,
    answer: JSON.parse(answer) as object,
  }));
  expect(questions.length).toBeGreaterThanOrEqual(8);
  const sandbox = await createSandbox({ release: "2025.12" });
  const schema = createSchema({ federationLinkUrl: FEDERATION_LINK_URL, mutations: true });
  const gateway = await startGateway({ authentikUrl: sandbox.url, schema });
  for (const { query, answer } of questions) {
    const authorization = `Bearer token-of-${query.includes("MyLinks") ? "alice" : "administrator"}`;
    // oxlint-disable-next-line no-await-in-loop -- in the README's order: the last one deletes
    const { data, errors } = await gateway.post(query, { authorization });
    expect({ query, data, errors }).toEqual({ query, ...answer, errors: undefined });
  }
  await gateway.close();
  await sandbox.close();
});

test("docs/configuration.md has the table that the code prints", () => {
  const marked = /<!-- configuration:start -->\n\n([^]*?)\n<!-- configuration:end -->/;
  const table = marked.exec(read("docs/configuration.md"))?.[1];
  expect(table, "run `node dist/main.js help --markdown` and put it between the markers").toBe(
    helpMarkdown(),
  );
});

test("docs/errors.md has every code that a client can meet", () => {
  const [, type = ""] = /export type ErrorCode =([^;]+);/.exec(read("src/graphql/errors.ts")) ?? [];
  const codes = [...type.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  expect(codes).toContain("PERSISTED_QUERY_MISMATCH");
  const documented = [...read("docs/errors.md").matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
  // Who has left meets none.
  expect(codes.filter((code) => code !== "CLIENT_CLOSED_REQUEST" && !documented.includes(code))).toEqual([]);
});

test("docs/clients.md names the clients that are tried, in the versions that are installed for it", () => {
  const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
    read("test/clients/package.json"),
  );
  const installed = Object.entries(devDependencies)
    // Not what they are made of, and what they need.
    .filter(([name]) => !/^(?:graphql|rxjs|@genql\/runtime|@graphql-codegen\/typescript.*)$/.test(name))
    .map(([name, version]) => /^npm:(.+)@(.+)$/.exec(version)?.slice(1).join(" ") ?? `${name} ${version}`);
  const python = read("test/clients/requirements.txt").replace(/^(\w+)(?:\[\w+\])?==/, "$1 ");
  const rows = [...read("docs/clients.md").matchAll(/^\| (\S+)[^|]*\| +([\d.]+) +\|/gm)];
  const named = rows.map(([, name, version]) => `${name} ${version}`);
  expect(named.sort()).toEqual([...installed, python.trim()].sort());
});
