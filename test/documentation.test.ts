import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const ROOT = new URL("../", import.meta.url);

const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

const manifest: unknown = JSON.parse(read("package.json"));
const below = readdirSync(new URL("docs/", ROOT), { recursive: true, encoding: "utf8" });
const pages = below.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);

describe.each(["README.md", "CONTRIBUTING.md", "SECURITY.md", ...pages])("%s", (page) => {
  const text = read(page);

  test("names only files that exist", () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(
      ([, link = ""]) => new URL(link, new URL(page, ROOT)),
    );
    const paths = [...text.matchAll(/`((?:src|test|docs|bench|scripts|example|\.ci)\/[\w./-]+)`/g)].map(
      ([, path = ""]) => new URL(path, ROOT),
    );
    const named = [...links, ...paths].filter(({ pathname }) => !pathname.includes("/oauth-"));
    expect(named.filter((url) => !existsSync(url))).toEqual([]);
  });

  test("names only commands that exist", () => {
    expect(text).not.toBe("");
    for (const [, name = ""] of text.matchAll(/npm run ([\w:]+)/g))
      expect(manifest).toHaveProperty(["scripts", name]);
  });
});

test("docs/errors.md has every code that a client can meet", () => {
  const [, type = ""] = /export type ErrorCode =([^;]+);/.exec(read("src/graphql/errors.ts")) ?? [];
  const codes = [...type.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  expect(codes).toContain("PERSISTED_QUERY_MISMATCH");
  const documented = [...read("docs/errors.md").matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
  // Who has left meets none.
  expect(codes.filter((code) => code !== "CLIENT_CLOSED_REQUEST" && !documented.includes(code))).toEqual([]);
});

test("docs/security.md names only tests that exist", () => {
  const names = [...read("docs/security.md").matchAll(/`([\w-]+\/[\w-]+\.test\.ts)`/g)];
  expect(names.filter(([, name]) => !existsSync(new URL(`test/${name}`, ROOT)))).toEqual([]);
  expect(names.length).toBeGreaterThan(20);
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
