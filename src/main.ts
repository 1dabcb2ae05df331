#!/usr/bin/env node
import { readFileSync } from "node:fs";
import type { ProcessContext } from "./cli/context.ts";
import { packageVersion } from "./cli/version.ts";
import { type Config, loadConfig } from "./config.ts";
import { problemLine } from "./config/problem.ts";

const context: ProcessContext = {
  version: packageVersion(),
  isTerminal: process.stdout.isTTY,
  print: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  events: process,
};

/** Does what the command line asks for. Resolves with the exit code; what a command needs is loaded only for it. */
async function run(config: Config): Promise<number> {
  const { command } = config;
  if (command === "serve") {
    const { serveAlone } = await import("./cli/serve.ts");
    return serveAlone(config, context);
  }
  if (command === "sandbox") {
    const { runSandbox } = await import("./cli/sandbox.ts");
    return runSandbox(config, context);
  }
  if (command === "version") context.print(`${context.version}\n`);
  else if (command === "schema") {
    const { schemaText } = await import("./cli/schema.ts");
    context.print(schemaText(config.federationLinkUrl));
  } else {
    const { helpMarkdown, helpText } = await import("./cli/help.ts");
    context.print(config.markdown ? helpMarkdown() : helpText());
  }
  return 0;
}

// Whoever read our output may leave before we end.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

const loaded = loadConfig({
  env: process.env,
  argv: process.argv.slice(2),
  readFile: (path) => readFileSync(path, "utf8"),
});
if ("problems" in loaded) {
  const lines = loaded.problems.map((problem) => `  ${problemLine(problem)}\n`);
  context.printError(`authentik-graphql cannot start with this configuration:\n${lines.join("")}`);
  context.printError("authentik-graphql --help explains every option.\n");
  process.exit(2);
}
process.exit(await run(loaded.config));
