#!/usr/bin/env node
import { readFileSync } from "node:fs";
import manifest from "../package.json" with { type: "json" };
import { invocationOf, run } from "./cli.ts";

// Whoever read our output may leave before we end.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

const [, script = "", ...argv] = process.argv;
const sources = { env: process.env, argv, readFile: (path: string) => readFileSync(path, "utf8") };
const exitCode = await run(sources, {
  version: manifest.version,
  invocation: invocationOf(process.env, script),
  isTerminal: process.stdout.isTTY,
  env: process.env,
  print: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  events: process,
});
process.exit(exitCode);
