import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { helpMarkdown, helpText } from "../src/cli/help.ts";
import { flagOf } from "../src/config/option.ts";
import { optionEntries } from "../src/config/options.ts";

test("the README's table of options is the one that the code prints", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const table = /<!-- configuration:start -->\n\n([^]*?)\n<!-- configuration:end -->/.exec(readme)?.[1];
  expect(table, "run `node dist/main.js help --markdown` and put it between the markers").toBe(
    helpMarkdown(),
  );
});

test("help shows every option with its variable, and its flag unless it is a secret", () => {
  const help = helpText();
  for (const [name, option] of optionEntries()) {
    expect(help).toContain(option.secret === true ? `${name} (only` : `${flagOf(name, option)}, ${name}  [`);
    expect(option.description).toMatch(/^[A-Z`].*\.$/s);
  }
});

test("every duration and every size names its unit", () => {
  for (const [name, option] of optionEntries()) {
    expect([name, option.unit]).toEqual([
      name,
      name.endsWith("_MS") ? "ms" : name.endsWith("_BYTES") ? "bytes" : undefined,
    ]);
  }
});

test("every default is acceptable where it is given", () => {
  for (const [name, option] of optionEntries()) {
    const { fallback } = option;
    if (fallback === null || Array.isArray(fallback)) continue;
    const written = typeof fallback === "string" ? fallback : JSON.stringify(fallback);
    expect([name, option.parse(written)]).toEqual([name, fallback]);
  }
});
