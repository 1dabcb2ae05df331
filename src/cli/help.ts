import { optionTexts } from "../config/option-texts.ts";

const introduction = `authentik-graphql: a GraphQL gateway and Federation subgraph in front of authentik's REST API

Usage: authentik-graphql [command] [options]

Commands
  serve      answer GraphQL on http://HOST:PORT/graphql (the default)
  sandbox    start only the stand-in for authentik, with seeded data
  schema     print the subgraph's SDL
  help       print this text; with --markdown the table of the README
  version    print the version

Examples
  authentik-graphql                                            try it, without an authentik
  authentik-graphql serve --authentik-url https://id.example.org --port 4000
  AUTHENTIK_URL=https://id.example.org authentik-graphql serve --workers auto

Every option is an environment variable too; flags win. Switches take --no-… as well.
Exit codes: 0 ended as asked, 1 failed, 2 wrong configuration.
`;

/** The text of `--help`: every option with its variable, default and unit. */
export function helpText(): string {
  const sections = [...optionTexts()].map(([section, options]) => {
    const lines = options.map(({ name, flag, fallback, description }) => {
      const names = flag === null ? `${name} (only in the environment)` : `${flag}, ${name}`;
      return `  ${names}  [${fallback}]\n      ${description.replaceAll("`", "")}`;
    });
    return `\n${section}\n${lines.join("\n")}\n`;
  });
  return introduction + sections.join("");
}

/** The same as a table for the README. */
export function helpMarkdown(): string {
  const tables = [...optionTexts()].map(([section, options]) => {
    const rows = options.map(({ name, flag, fallback, description }) => {
      const flagCell = flag === null ? "none: a secret" : `\`${flag}\``;
      return `| \`${name}\` | ${flagCell} | ${fallback} | ${description} |`;
    });
    return [
      `**${section}**`,
      "",
      "| variable | flag | default | meaning |",
      "| --- | --- | --- | --- |",
      ...rows,
    ].join("\n");
  });
  return `${tables.join("\n\n")}\n`;
}
