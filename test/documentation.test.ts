import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const ROOT = new URL("../", import.meta.url);

const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...(await pagesBelow("docs/"))];

async function pagesBelow(folder: string): Promise<string[]> {
  const names = await readdir(new URL(folder, ROOT), { recursive: true });
  return names.filter((name) => name.endsWith(".md")).map((name) => folder + name);
}

test.each(pages)("%s names only files that exist", async (page) => {
  const text = await readFile(new URL(page, ROOT), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(
    (match) => new URL(match[1] ?? "", new URL(page, ROOT)),
  );
  const paths = [...text.matchAll(/`((?:src|test|docs|bench|scripts|example|\.ci)\/[\w./-]+)`/g)].map(
    (match) => new URL(match[1] ?? "", ROOT),
  );

  const missing = [...links, ...paths].filter((url) => !existsSync(url) && !url.pathname.includes("/oauth-"));
  expect(missing.map(({ pathname }) => pathname.slice(ROOT.pathname.length))).toEqual([]);
});

test("docs/security.md names only tests that exist", async () => {
  const text = await readFile(new URL("docs/security.md", ROOT), "utf8");
  const names = [...text.matchAll(/`([\w-]+\/[\w-]+\.test\.ts)`/g)].map((match) => match[1] ?? "");
  expect(names.filter((name) => !existsSync(new URL(`test/${name}`, ROOT)))).toEqual([]);
  expect(names.length).toBeGreaterThan(20);
});

test.each(pages)("%s names only commands that exist", async (page) => {
  const manifest: unknown = JSON.parse(await readFile(new URL("package.json", ROOT), "utf8"));
  const text = await readFile(new URL(page, ROOT), "utf8");
  const names = [...text.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]);
  for (const name of names) expect(manifest).toHaveProperty(["scripts", name ?? ""]);
  expect(text).not.toBe("");
});
