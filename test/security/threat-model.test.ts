import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);

test("every test that the threat model names exists", () => {
  const text = readFileSync(new URL("docs/security.md", root), "utf8");
  const named = [...text.matchAll(/`([a-z-]+\/[a-z-]+\.test\.ts)`/g)].map(([, path]) => path ?? "");
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(new URL(`test/${path}`, root)))).toEqual([]);
});

test("every defect of the default stack has its test", () => {
  const text = readFileSync(new URL("default-stack-defects.test.ts", import.meta.url), "utf8");
  const defects = Array.from({ length: 15 }, (_, index) => `D${index + 1}`);
  expect(defects.filter((name) => !new RegExp(`(?:describe|test)\\("${name}:`).test(text))).toEqual([]);
});
