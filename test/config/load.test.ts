import { describe, expect, test } from "vitest";
import { type ConfigSources, loadConfig, problemLine } from "../../src/config/load.ts";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema } from "../../src/graphql/schema.ts";

const KEY = "a-key-of-the-gateway";

const FILES: Record<string, string> = {
  "/run/token": "token\n",
  "/run/key": `${KEY}\r\n`,
  "/run/short": "canary",
};

function readFile(path: string): string {
  const content = FILES[path];
  if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
  return content;
}

const load = (env: ConfigSources["env"], ...argv: string[]) => loadConfig({ env, argv, readFile });

function configOf(env: ConfigSources["env"], ...argv: string[]) {
  const loaded = load(env, ...argv);
  if ("problems" in loaded) throw new Error(loaded.problems.map(problemLine).join("\n"));
  return loaded.config;
}

function problemsOf(env: ConfigSources["env"], ...argv: string[]): string[] {
  const loaded = load(env, ...argv);
  return "problems" in loaded ? loaded.problems.map(problemLine) : [];
}

/** The environment that a shell makes of `NAME=value NAME=value`. */
function environment(assignments: string): Record<string, string> {
  return Object.fromEntries(assignments.split(" ").map((assignment) => assignment.split("=", 2)));
}

describe("where a value comes from", () => {
  test.each([
    ["a variable", { PORT: "5000" }, "serve", { port: 5000 }],
    ["a flag with a space", {}, "serve --port 5001", { port: 5001 }],
    ["a flag, even over a variable that is wrong", { PORT: "many" }, "--port=0", { port: 0 }],
    ["the default for an empty variable", { PORT: "" }, "serve", { port: 4000, host: "127.0.0.1" }],
    ["the last of two switches", { GRAPHIQL: "false" }, "--graphiql=false --graphiql", { graphiql: true }],
    ["a list", { CORS_ORIGINS: "http://a, http://b" }, "serve", { corsOrigins: ["http://a", "http://b"] }],
    ["a share", { SANDBOX_FAULTS: "reset:0.5" }, "serve", { sandbox: { faults: [{ ratio: 0.5 }] } }],
    // The time for the headers is never longer than that for the whole request.
    ["another variable", { REQUEST_TIMEOUT_MS: "2000" }, "serve", { server: { headersTimeoutMs: 2000 } }],
  ])("%s", (_name, env: ConfigSources["env"], line, expected) => {
    expect(configOf(env, ...line.split(" "))).toMatchObject(expected);
  });
});

describe("a problem", () => {
  test("is reported with all others at once, each with name, given value and what is expected", () => {
    const env = {
      PORT: "99999",
      LOG_LEVEL: "verbose",
      CORS_ORIGINS: "example.org",
      AUTHENTIK_URL: "ftp://id.example.org",
      GRAPHIQL: "maybe",
    };
    const argv = ["serve", "--operation-timeout-ms", "soon", "--batch-limt=2", "extra"];
    expect(problemsOf(env, ...argv)).toEqual([
      "--batch-limt: expected a known one; did you mean --batch-limit?",
      'argument "extra": expected only options after the command',
      expect.stringContaining('AUTHENTIK_URL: given "ftp://id.example.org", expected an http:// or'),
      'PORT: given "99999", expected a whole number from 0 to 65535',
      'CORS_ORIGINS: given "example.org", expected origins such as https://app.example.org separated by commas, or *',
      'GRAPHIQL: given "maybe", expected true or false',
      '--operation-timeout-ms: given "soon", expected a whole number from 1 to 3600000',
      'LOG_LEVEL: given "verbose", expected one of trace, debug, info, warn, error, fatal, silent',
    ]);
  });

  test.each([
    ["sreve", 'command "sreve": expected a known one; did you mean serve?'],
    ["--no-metrics=true", "--no-metrics: expected no value: the flag alone switches it off"],
    ["schema --port=1", "--port: expected a known option (--help lists them)"],
    ["--authentik-ca-file=/run/key", "--authentik-ca-file: expected a file with certificates in PEM form"],
    ["--faults reset:2", expect.stringContaining('--faults: given "reset:2", expected faults separated by')],
  ])("is the command line %j", (line, problem) => {
    expect(problemsOf({}, ...line.split(" "))).toEqual([problem]);
  });

  test("is a missing AUTHENTIK_URL in production, instead of a sandbox, but not for the sandbox itself", () => {
    const env = { NODE_ENV: "production" };
    const expected = "a URL, since the sandbox never stands in for it in production";
    expect(problemsOf(env, "serve")).toEqual([`AUTHENTIK_URL: expected ${expected}`]);
    expect(problemsOf(env, "sandbox")).toEqual([]);
    expect(problemsOf({ ...env, AUTHENTIK_URL: "https://id.example.org" }, "serve")).toEqual([]);
  });
});

test("FEDERATION_LINK_URL is a version that the SDL can link to, and that has all directives of it", () => {
  const versions = "https://specs.apollo.dev/federation/";
  for (const version of ["v2.9", "v2.14"]) {
    const config = configOf({ FEDERATION_LINK_URL: versions + version });
    expect(printSchema(createSchema(config))).toContain(version);
  }
  for (const version of ["v2.8", "v2.15", "v2.9/"]) {
    const problem: unknown = expect.stringMatching(/^FEDERATION_LINK_URL: given /);
    expect(problemsOf({ FEDERATION_LINK_URL: versions + version })).toEqual([problem]);
  }
});

describe("AUTHENTIK_URL", () => {
  test("may have a path prefix; a slash at its end does not matter", () => {
    const { authentikUrl } = configOf({ AUTHENTIK_URL: "HTTPS://[::1]:9443/auth/" });
    expect(authentikUrl?.href).toBe("https://[::1]:9443/auth");
  });

  test.each([
    "id.example.org",
    "https://id.example.org/?a=b",
    "https://id.example.org/api/v3/",
    "https://example.org\\@evil.example",
    "https://user@id.example.org",
    // Set but empty: whoever wrote that did not want the sandbox.
    "",
  ])("is not %j", (AUTHENTIK_URL) => {
    expect(problemsOf({ AUTHENTIK_URL })).toHaveLength(1);
  });

  test("what a URL may hide is not shown", () => {
    const AUTHENTIK_URL = "https://me:hunter2@id.example.org/?token=hunter3#hunter4";
    const shown: unknown = expect.stringContaining('given "https://…@id.example.org/?…", expected');
    expect(problemsOf({ AUTHENTIK_URL })).toEqual([shown]);
  });
});

describe("whose credentials", () => {
  const token = { name: "AUTHENTIK_TOKEN", value: "token", file: null };
  const key = { name: "GATEWAY_KEY", value: KEY, file: null };

  test.each([
    [`AUTHENTIK_TOKEN=token GATEWAY_KEY=${KEY}`, token, key],
    ["AUTHENTIK_TOKEN=token OPEN_ACCESS=true", token, null],
    // The line break at a file's end is no part of the secret.
    [`AUTHENTIK_TOKEN_FILE=/run/token GATEWAY_KEY=${KEY}`, { ...token, file: "/run/token" }, key],
  ])("%s are service mode", (env, authentikToken, gatewayKey) => {
    const { credentials } = configOf(environment(env)).gateway;
    expect(credentials).toEqual({ mode: "service", authentikToken, gatewayKey });
  });

  test.each([
    ["AUTHENTIK_TOKEN=t", "GATEWAY_KEY: expected a key"],
    [`GATEWAY_KEY=${KEY}`, "GATEWAY_KEY: "],
    ["OPEN_ACCESS=true", "OPEN_ACCESS: "],
    [`AUTHENTIK_TOKEN=t OPEN_ACCESS=1 GATEWAY_KEY=${KEY}`, "OPEN_ACCESS: "],
    ["AUTHENTIK_TOKEN=t GATEWAY_KEY=canary", "GATEWAY_KEY: given a secret that is not shown"],
    ["AUTHENTIK_TOKEN=t GATEWAY_KEY_FILE=/run/short", "GATEWAY_KEY_FILE: "],
    [`AUTHENTIK_TOKEN=Bearer\tcanary GATEWAY_KEY=${KEY}`, "AUTHENTIK_TOKEN: "],
    [`AUTHENTIK_TOKEN=t AUTHENTIK_TOKEN_FILE=/run/token GATEWAY_KEY=${KEY}`, "AUTHENTIK_TOKEN: "],
    [`AUTHENTIK_TOKEN_FILE=/run/nothing GATEWAY_KEY=${KEY}`, "AUTHENTIK_TOKEN_FILE: "],
  ])("%s is a problem, and no secret is shown", (env, problem) => {
    const problems = problemsOf(environment(env));
    expect(problems).toContainEqual(expect.stringContaining(problem));
    expect(problems.join("\n")).not.toContain("canary");
  });

  test.each([
    ["--authentik-token canary", "or in a file (--authentik-token-file)"],
    ["--gateway-kee canary", "did you mean --gateway-key?"],
  ])("a secret is not taken from the command line, nor shown: %s", (line, words) => {
    const problems = problemsOf({}, ...line.split(" "));
    expect(problems).toEqual([expect.stringContaining(words)]);
    expect(problems.join()).not.toContain("canary");
  });
});

test.each(["schema", "help", "version"])("the command %s does not care about what serve needs", (command) => {
  const env = { PORT: "none", AUTHENTIK_URL: "nowhere", NODE_ENV: "production", GATEWAY_KEY: "x" };
  expect(configOf(env, command)).toMatchObject({ command });
});

test("the sandbox's options are read where it runs: Kubernetes sets SANDBOX_PORT for a service of that name", () => {
  const env = { SANDBOX_PORT: "tcp://10.0.0.1:80", SANDBOX_RELEASE: "2024.2" };
  const AUTHENTIK_URL = "https://id.example.org";
  const defaults = { port: 0, release: "2026.8" };
  expect(configOf({ ...env, AUTHENTIK_URL }).sandbox).toMatchObject(defaults);
  expect(configOf(env, `--authentik-url=${AUTHENTIK_URL}`).sandbox).toMatchObject(defaults);
  for (const command of ["serve", "sandbox"])
    expect(problemsOf(env, command)).toEqual([expect.stringContaining("SANDBOX_PORT")]);
});

describe("a variable that nobody reads and that is nearly one of ours", () => {
  test.each([
    ["AUTHENTIK_URl", "AUTHENTIK_URL"],
    ["LOGLEVEL", "LOG_LEVEL"],
  ])("%s: did you mean %s? It is told beside the problem that it causes", (variable, meant) => {
    const warnings = [`${variable} is not read by anything: did you mean ${meant}?`];
    const loaded = load({ [variable]: "canary", NODE_ENV: "production" });
    expect(loaded).toMatchObject({ warnings, problems: [{ name: "AUTHENTIK_URL" }] });
  });

  test("is none where that one is set, or another command reads it", () => {
    expect(load(environment("COST=x PATH=x LOG_LEVEL=info LOGLEVEL=info")).warnings).toEqual([]);
    expect(load({ METRIC: "x" }, "schema").warnings).toEqual([]);
  });
});

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

test.each([
  ["127.0.0.1", LOCAL],
  ["127.1", [...LOCAL, "127.1"]],
  ["0x7f.1", [...LOCAL, "0x7f.1"]],
  ["0:0:0:0:0:0:0:1", [...LOCAL, "[0:0:0:0:0:0:0:1]"]],
  ["::ffff:127.0.0.1", [...LOCAL, "[::ffff:7f00:1]", "[::ffff:127.0.0.1]"]],
  ["LOCALHOST", [...LOCAL, "LOCALHOST"]],
  ["::", []],
  ["192.168.1.5", []],
])("with open access on %s, hosts that requests may name: %j", (HOST, allowedHosts) => {
  const env = { HOST, OPEN_ACCESS: "true", AUTHENTIK_TOKEN: "token" };
  expect(configOf(env).gateway.allowedHosts).toEqual(allowedHosts);
});
