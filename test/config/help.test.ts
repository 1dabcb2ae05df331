import { readFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import { helpMarkdown, helpText } from "../../src/config/help.ts";
import { flagOf } from "../../src/config/option.ts";
import { options } from "../../src/config/options.ts";

test("the table of options in the documentation is the one that the code prints", () => {
  const readme = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const table = /<!-- configuration:start -->\n\n([^]*?)\n<!-- configuration:end -->/.exec(readme)?.[1];
  expect(table, "run `node dist/main.js help --markdown` and put it between the markers").toBe(
    helpMarkdown(),
  );
});

test("help shows every option with its variable, and its flag unless it is a secret", () => {
  const help = helpText();
  for (const [name, option] of options) {
    expect(help).toContain(option.secret === true ? `${name} (only` : `${flagOf(name, option)}, ${name}  [`);
    expect(option.meaning).toMatch(/^[A-Z`].*\.$/s);
  }
});

test("every default is acceptable where it is given", () => {
  for (const [name, { default: value, schema }] of options) {
    if (value === null || Array.isArray(value)) continue;
    const written = typeof value === "string" ? value : JSON.stringify(value);
    expect([name, v.parse(schema, written)]).toEqual([name, value]);
  }
});
