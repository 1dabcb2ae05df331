import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ask, startCli } from "../process/cli.ts";
import { lacks, root, run } from "./tools.ts";

// There is no container engine where these tests run. The image is built and run by .github/workflows/ci.yaml.

const lines = readFileSync(`${root}Dockerfile`, "utf8")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

test.skipIf(lacks("hadolint"))("the Dockerfile is what hadolint recommends", async () => {
  expect(await run("hadolint", "Dockerfile")).toBe("");
});

test("the image that the Dockerfile's steps make answers without anything else", async () => {
  const stages = new Map<string, string>();
  let stage = "";
  let user = "root";
  for (const line of lines) {
    const [instruction = "", ...words] = line.split(/\s+/);
    if (instruction === "FROM") {
      stage = temporaryFolder();
      stages.set(words.at(-2) === "AS" ? (words.at(-1) ?? "") : "final", stage);
    } else if (instruction === "COPY") {
      const from = /^--from=(\w+)$/.exec(words[0] ?? "")?.[1];
      const sources = words.slice(from === undefined ? 0 : 1, -1);
      copyInto(stage, words.at(-1) ?? "", {
        sources: sources.map((source) => source.replace(/^\/app\//, "")),
        // From the build context comes only what .dockerignore lets through.
        from: from === undefined ? root : `${stages.get(from)}/`,
      });
    } else if (instruction === "RUN" && line.includes("npm ci")) {
      // The packages of this clone, which `npm ci` installed from the same lock file.
      symlinkSync(`${root}node_modules`, join(stage, "node_modules"));
    } else if (instruction === "RUN") await run("env", "-C", stage, ...words);
    else if (instruction === "USER") user = words[0] ?? "";
  }
  // A number that is not root's.
  expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(stages.has("build")).toBe(true);
  const image = `${stages.get("final")}/`;
  expect(existsSync(join(image, "dist/sbom.cdx.json"))).toBe(true);
  expect(existsSync(join(image, "node_modules"))).toBe(false);

  const cli = startCli(["serve", "--port", "0"], {}, { folder: image });
  await expect(ask(await cli.url(), "{ __typename }")).resolves.toMatchObject({ status: 200 });
}, 120_000);

test("the .dockerignore lets through all that is copied, and nothing else", () => {
  const copied = lines
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  const allowed = readFileSync(`${root}.dockerignore`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"));
  expect(allowed.toSorted()).toEqual(copied.map((path) => `!${path.replace(/^\.\/|\/$/g, "")}`).toSorted());
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "authentik-graphql-image-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** As COPY does: several into a folder, one folder's content as the folder named. */
function copyInto(
  stage: string,
  target: string,
  { sources, from }: { sources: readonly string[]; from: string },
): void {
  for (const source of sources) {
    const to = target.endsWith("/") ? join(stage, target, source) : join(stage, target);
    mkdirSync(join(to, ".."), { recursive: true });
    cpSync(join(from, source), to, { recursive: true });
  }
}
