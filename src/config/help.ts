import { flagOf, type Option } from "./option.ts";
import { sections } from "./options.ts";

const introduction = `authentik-graphql: a GraphQL gateway and Federation subgraph in front of authentik's REST API

Usage: authentik-graphql [command] [options]

Commands
  serve      answer GraphQL on http://HOST:PORT/graphql (the default)
  sandbox    start only the stand-in for authentik, with seeded data
  health     ask the gateway at HOST and PORT whether it lives; exit code 0 or 1
  schema     print the subgraph's SDL; with --api the graph alone, for tools that generate code for clients
  help       print this text; with --markdown the table of docs/configuration.md
  version    print the version

Examples
  authentik-graphql                                            try it, without an authentik
  authentik-graphql serve --authentik-url https://id.example.org --port 4000
  AUTHENTIK_URL=https://id.example.org authentik-graphql serve --no-graphiql

Every option is an environment variable too; flags win. Switches take --no-… as well.
Exit codes: 0 ended as asked, 1 failed, 2 wrong configuration.
`;

const bySection = Object.entries(sections).map(([heading, section]) => ({
  heading,
  options: Object.entries<Option<unknown>>(section),
}));

/** The text of `--help`: every option with its variable, default and unit. */
export function helpText(): string {
  const texts = bySection.map(({ heading, options }) => {
    const lines = options.map(([name, option]) => {
      const names =
        option.secret === true ? `${name} (only in the environment)` : `${flagOf(name, option)}, ${name}`;
      return `  ${names}  [${defaultText(name, option)}]\n      ${option.meaning.replaceAll("`", "")}\n`;
    });
    return `\n${heading}\n${lines.join("")}`;
  });
  return introduction + texts.join("");
}

/** The same as a table for docs/configuration.md. */
export function helpMarkdown(): string {
  const tables = bySection.map(({ heading, options }) => {
    const rows = options.map(([name, option]) => {
      const flag = option.secret === true ? "none: a secret" : `\`${flagOf(name, option)}\``;
      return `| \`${name}\` | ${flag} | ${defaultText(name, option)} | ${option.meaning} |\n`;
    });
    return `**${heading}**\n\n| variable | flag | default | meaning |\n| --- | --- | --- | --- |\n${rows.join("")}`;
  });
  return tables.join("\n");
}

function defaultText(name: string, { default: value, defaultInWords }: Option<unknown>): string {
  if (defaultInWords !== undefined) return defaultInWords;
  if (value === null) return "not set";
  const plain = typeof value === "string" ? value : JSON.stringify(value);
  if (name.endsWith("_BYTES")) return `${plain} (${Number(value) / 1_048_576} MiB)`;
  return name.endsWith("_MS") ? `${plain} ms` : plain;
}
