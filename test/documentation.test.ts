import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const ROOT = new URL("../", import.meta.url);

const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...(await pagesBelow("docs/"))];

const read = (path: string): Promise<string> => readFile(new URL(path, ROOT), "utf8");

async function pagesBelow(folder: string): Promise<string[]> {
  const names = await readdir(new URL(folder, ROOT), { recursive: true });
  return names.filter((name) => name.endsWith(".md")).map((name) => folder + name);
}

test.each(pages)("%s names only files that exist", async (page) => {
  const text = await read(page);
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
  const text = await read("docs/security.md");
  const names = [...text.matchAll(/`([\w-]+\/[\w-]+\.test\.ts)`/g)].map((match) => match[1] ?? "");
  expect(names.filter((name) => !existsSync(new URL(`test/${name}`, ROOT)))).toEqual([]);
  expect(names.length).toBeGreaterThan(20);
});

test("docs/clients.md names the clients that are tried, in the versions that are installed for it", async () => {
  const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
    await read("test/clients/package.json"),
  );
  const python = /^(\w+)(?:\[\w+\])?==(.+)$/m.exec(await read("test/clients/requirements.txt"));
  const expected = [
    ...Object.entries(devDependencies)
      // Not what they are made of, and what they need.
      .filter(([name]) => !/^(?:graphql|rxjs|@genql\/runtime|@graphql-codegen\/typescript.*)$/.test(name))
      .map(([name, version]) => {
        const [, aliased, of] = /^npm:(.+)@(.+)$/.exec(version) ?? [];
        return `${aliased ?? name} ${of ?? version}`;
      }),
    `${python?.[1]} ${python?.[2]}`,
  ];
  const rows = (await read("docs/clients.md")).matchAll(/^\| (\S+)[^|]*\| +([\d.]+) +\|/gm);
  expect([...rows].map(([, name, version]) => `${name} ${version}`).sort()).toEqual(expected.sort());
});

test.each(pages)("%s names only commands that exist", async (page) => {
  const manifest: unknown = JSON.parse(await read("package.json"));
  const text = await read(page);
  const names = [...text.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]);
  for (const name of names) expect(manifest).toHaveProperty(["scripts", name ?? ""]);
  expect(text).not.toBe("");
});
