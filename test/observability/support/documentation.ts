import { readFileSync } from "node:fs";

const page = readFileSync(new URL("../../../docs/operating.md", import.meta.url), "utf8");

/** The rows of a table of docs/operating.md between two markers, without its head. */
export function tableOf(name: string): string[][] {
  const text = new RegExp(`<!-- ${name}:start -->\n\n([^]*?)\n\n<!-- ${name}:end -->`).exec(page)?.[1] ?? "";
  const rows = text.split("\n").map((line) => line.split("|").slice(1, -1));
  return rows.slice(2).map((cells) => cells.map((cell) => cell.trim().replace(/^`([^`]+)`$/, "$1")));
}
