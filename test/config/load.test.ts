import { describe, expect, test } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import { type ConfigSources, loadConfig } from "../../src/config/load.ts";
import { problemLine } from "../../src/config/problem.ts";

const key = "a-key-of-the-gateway";

function load(sources: Partial<ConfigSources>, files: Record<string, string> = {}) {
  return loadConfig({
    env: {},
    argv: [],
    readFile: (path) => {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return content;
    },
    ...sources,
  });
}

function configOf(sources: Partial<ConfigSources>, files?: Record<string, string>) {
  const loaded = load(sources, files);
  if ("problems" in loaded) throw new Error(loaded.problems.map(problemLine).join("\n"));
  return loaded.config;
}

function problemsOf(sources: Partial<ConfigSources>, files?: Record<string, string>): string[] {
  const loaded = load(sources, files);
  return "problems" in loaded ? loaded.problems.map(problemLine) : [];
}

describe("without anything given", () => {
  test("serves on 127.0.0.1:4000 in front of the sandbox, with the callers' own credentials", () => {
    expect(configOf({})).toMatchObject({
      command: "serve",
      host: "127.0.0.1",
      port: 4000,
      authentikUrl: null,
      gateway: { credentials: { mode: "caller" }, operationTimeoutMs: 10_000 },
    });
  });

  test("in production a missing AUTHENTIK_URL is a problem instead of a sandbox", () => {
    expect(problemsOf({ env: { NODE_ENV: "production" } })).toEqual([
      "AUTHENTIK_URL: expected a URL, since the sandbox never stands in for it in production",
    ]);
    expect(problemsOf({ env: { NODE_ENV: "production" }, argv: ["sandbox"] })).toEqual([]);
    expect(problemsOf({ env: { NODE_ENV: "production", AUTHENTIK_URL: "https://id.example.org" } })).toEqual(
      [],
    );
  });
});

describe("where a value comes from", () => {
  test.each([
    ["a variable", { env: { PORT: "5000" } }, 5000],
    ["a flag with a space", { argv: ["serve", "--port", "5001"] }, 5001],
    ["a flag with an equals sign", { argv: ["serve", "--port=5002"] }, 5002],
    ["a flag without a command", { argv: ["--port=5003"] }, 5003],
    ["a flag that wins over a variable", { env: { PORT: "5000" }, argv: ["--port", "5004"] }, 5004],
    ["the last of two flags", { argv: ["--port=1", "--port=5005"] }, 5005],
    ["the default for an empty variable", { env: { PORT: "" } }, 4000],
  ])("%s", (_name, sources, port) => {
    expect(configOf(sources).port).toBe(port);
  });

  test.each([
    [["--no-graphiql"], false],
    [["--graphiql"], true],
    [["--graphiql=false"], false],
    [["--no-graphiql", "--graphiql"], true],
  ])("switches: %s", (argv, graphiql) => {
    expect(configOf({ argv, env: { GRAPHIQL: graphiql ? "false" : "true" } }).gateway.graphiql).toBe(
      graphiql,
    );
  });

  test("a bad variable is no problem when a flag replaces it", () => {
    expect(configOf({ env: { PORT: "many" }, argv: ["--port=0"] }).port).toBe(0);
  });

  test("lists are split at commas", () => {
    const { gateway } = configOf({
      env: {
        ALLOWED_HOSTS: "gw.example.org, localhost",
        CORS_ORIGINS: "https://a.example.org,http://b.test:3000",
      },
    });
    expect(gateway.allowedHosts).toEqual(["gw.example.org", "localhost"]);
    expect(gateway.corsOrigins).toEqual(["https://a.example.org", "http://b.test:3000"]);
  });
});

test("all problems are reported at once, each with name, given value and what is expected", () => {
  const problems = problemsOf({
    env: {
      PORT: "99999",
      LOG_LEVEL: "verbose",
      CORS_ORIGINS: "example.org",
      AUTHENTIK_URL: "ftp://id.example.org",
      MAX_BODY_BYTES: "1MB",
      GRAPHIQL: "maybe",
    },
    argv: ["serve", "--operation-timeout-ms", "soon", "--batch-limt=2", "extra"],
  });
  expect(problems).toEqual([
    "--batch-limt: expected a known one; did you mean --batch-limit?",
    'argument "extra": expected only options after the command',
    expect.stringMatching(
      /^AUTHENTIK_URL: given "ftp:\/\/id.example.org", expected an http:\/\/ or https:\/\/ URL/,
    ),
    'PORT: given "99999", expected a whole number from 0 to 65535',
    'CORS_ORIGINS: given "example.org", expected origins such as https://app.example.org separated by commas, or *',
    'GRAPHIQL: given "maybe", expected true or false',
    '--operation-timeout-ms: given "soon", expected a whole number from 1 to 3600000',
    'MAX_BODY_BYTES: given "1MB", expected a whole number from 1024 to 1073741824',
    'LOG_LEVEL: given "verbose", expected one of trace, debug, info, warn, error, fatal, silent',
  ]);
});

const linkingTo = (version: string) => ({
  env: { FEDERATION_LINK_URL: `https://specs.apollo.dev/federation/${version}` },
});

describe("FEDERATION_LINK_URL", () => {
  test.each(["v2.9", "v2.10", "v2.14"])("%s is a version that the SDL can link to", (version) => {
    const schema = createSchema({ federationLinkUrl: linkingTo(version).env.FEDERATION_LINK_URL });
    expect(problemsOf(linkingTo(version))).toEqual([]);
    expect(printSchema(schema)).toContain(version);
  });

  test.each(["v1.0", "v2.0", "v2.8", "v2.99", "v2.9/"])("%s is none", (version) => {
    expect(problemsOf(linkingTo(version))).toEqual([expect.stringMatching(/^FEDERATION_LINK_URL: given /)]);
  });
});

describe("AUTHENTIK_URL", () => {
  test.each([
    ["http://127.0.0.1:9000", "http://127.0.0.1:9000/"],
    ["https://id.example.org/", "https://id.example.org/"],
    ["https://example.org/auth/", "https://example.org/auth"],
    ["HTTPS://[::1]:9443/a/b", "https://[::1]:9443/a/b"],
  ])("%s is fine", (given, url) => {
    expect(configOf({ env: { AUTHENTIK_URL: given } }).authentikUrl?.href).toBe(url);
  });

  test.each([
    "id.example.org",
    "//id.example.org",
    "http:id.example.org",
    "http://",
    "https://id.example.org:99999",
    "file:///etc/passwd",
    "https://id.example.org/?a=b",
    "https://id.example.org/#top",
    "https://id.example.org/api/v3",
    "https://id.example.org/api/v3/",
    "https://example.org\\@evil.example",
    " https://id.example.org",
    "https://id.exa mple.org",
    "https://user@id.example.org",
    // Set but empty: whoever wrote that did not want the sandbox.
    "",
  ])("%s is refused", (given) => {
    expect(problemsOf({ env: { AUTHENTIK_URL: given } })).toHaveLength(1);
  });

  test("what a URL may hide is not shown", () => {
    const shown = problemsOf({
      env: { AUTHENTIK_URL: "https://me:hunter2@id.example.org/?token=hunter3#hunter4" },
    });
    expect(shown).toHaveLength(1);
    expect(shown[0]).not.toContain("hunter");
    expect(shown[0]).toContain("id.example.org");
  });
});

describe("whose credentials", () => {
  const token = { name: "AUTHENTIK_TOKEN", value: "token", file: null };

  test.each([
    [
      "a token and a key",
      {},
      { AUTHENTIK_TOKEN: "token", GATEWAY_KEY: key },
      { name: "GATEWAY_KEY", value: key, file: null },
    ],
    ["open access, asked for by name", { argv: ["--open-access"] }, { AUTHENTIK_TOKEN: "token" }, null],
  ])("%s are service mode", (_what, sources, env, gatewayKey) => {
    const { credentials } = configOf({ env, ...sources }).gateway;
    expect(credentials).toEqual({ mode: "service", authentikToken: token, gatewayKey });
  });

  test("both may come from files, whose last line break does not count", () => {
    const { gateway } = configOf(
      { env: { AUTHENTIK_TOKEN_FILE: "/run/token" }, argv: ["--gateway-key-file", "/run/key"] },
      { "/run/token": "token\n", "/run/key": `${key}\r\n` },
    );
    expect(gateway.credentials).toEqual({
      mode: "service",
      authentikToken: { ...token, file: "/run/token" },
      gatewayKey: { name: "GATEWAY_KEY", value: key, file: "/run/key" },
    });
  });

  test("a token alone is a problem that says what is missing", () => {
    const problems = problemsOf({ env: { AUTHENTIK_TOKEN: "token" } });
    expect(problems).toEqual([expect.stringContaining("GATEWAY_KEY: expected a key")]);
  });

  test.each([
    ["a key without a token", { GATEWAY_KEY: key }, "GATEWAY_KEY"],
    ["open access without a token", { OPEN_ACCESS: "true" }, "OPEN_ACCESS"],
    ["a key and open access", { AUTHENTIK_TOKEN: "t", GATEWAY_KEY: key, OPEN_ACCESS: "true" }, "OPEN_ACCESS"],
    ["a short key", { AUTHENTIK_TOKEN: "t", GATEWAY_KEY: "short" }, "GATEWAY_KEY"],
    ["a token with its scheme", { AUTHENTIK_TOKEN: "Bearer t", GATEWAY_KEY: key }, "AUTHENTIK_TOKEN"],
    [
      "a token twice",
      { AUTHENTIK_TOKEN: "t", AUTHENTIK_TOKEN_FILE: "/run/token", GATEWAY_KEY: key },
      "AUTHENTIK_TOKEN",
    ],
    ["a missing file", { AUTHENTIK_TOKEN_FILE: "/run/nothing", GATEWAY_KEY: key }, "AUTHENTIK_TOKEN_FILE"],
    ["an empty file", { AUTHENTIK_TOKEN_FILE: "/run/empty", GATEWAY_KEY: key }, "AUTHENTIK_TOKEN_FILE"],
  ])("%s is a problem", (_name, env, name) => {
    const problems = problemsOf({ env }, { "/run/token": "t", "/run/empty": "\n" });
    expect(problems.map((problem) => problem.split(":")[0])).toContain(name);
  });

  test("secrets are never shown, nor taken from the command line", () => {
    const shown = [
      ...problemsOf({ env: { AUTHENTIK_TOKEN: "canary secret", GATEWAY_KEY: "canary" } }),
      ...problemsOf({ argv: ["--authentik-token", "canary"] }),
      ...problemsOf({ argv: ["--gateway-key=canary"] }),
      ...problemsOf({ argv: ["--gateway-kee=canary"] }),
      ...problemsOf({ argv: ["--gateway-kee", "canary"] }),
      ...problemsOf(
        { env: { GATEWAY_KEY_FILE: "/run/key", AUTHENTIK_TOKEN: "t" } },
        { "/run/key": "canary" },
      ),
    ];
    expect(shown.join("\n")).not.toContain("canary");
    expect(shown).toContainEqual(expect.stringContaining("a secret that is not shown"));
    expect(shown).toContainEqual(expect.stringContaining("or in a file (--authentik-token-file)"));
  });
});

test("an AUTHENTIK_CA_FILE that is missing or holds no certificate is a problem", () => {
  expect(problemsOf({ env: { AUTHENTIK_CA_FILE: "/none.pem" } })).toEqual([
    'AUTHENTIK_CA_FILE: given "/none.pem" (ENOENT), expected the path of a readable file',
  ]);
  expect(problemsOf({ env: { AUTHENTIK_CA_FILE: "/x" } }, { "/x": "hello" })).toHaveLength(1);
});

describe("commands", () => {
  test.each([
    [[], "serve"],
    [["serve"], "serve"],
    [["sandbox", "--release", "2026.8"], "sandbox"],
    [["schema"], "schema"],
    [["health", "--port=1"], "health"],
    [["help"], "help"],
    [["--help"], "help"],
    [["serve", "-h"], "help"],
    [["--version"], "version"],
    [["-v"], "version"],
  ])("%s is %s", (argv, command) => {
    expect(configOf({ argv }).command).toBe(command);
  });

  test("help, version and schema do not care about what serve needs", () => {
    const env = { PORT: "none", AUTHENTIK_URL: "nowhere", NODE_ENV: "production", GATEWAY_KEY: "x" };
    for (const argv of [["--help"], ["--version"], ["schema"]]) expect(problemsOf({ argv, env })).toEqual([]);
  });

  test("an unknown command is a problem, with a guess", () => {
    expect(problemsOf({ argv: ["sreve"] })).toEqual([
      'command "sreve": expected a known one; did you mean serve?',
    ]);
    expect(problemsOf({ argv: ["xyzzyxyzzy"] })).toEqual([
      'command "xyzzyxyzzy": expected one of serve, sandbox, health, schema, help, version',
    ]);
  });

  test("a flag without its value is a problem", () => {
    expect(problemsOf({ argv: ["--port"] })).toEqual([
      '--port: given "", expected a whole number from 0 to 65535',
    ]);
    expect(problemsOf({ argv: ["--no-metrics=true"] })).toEqual([
      "--no-metrics: expected no value: the flag alone switches it off",
    ]);
    expect(problemsOf({ argv: ["schema", "--api=false"] })).toEqual([
      "--api: expected no value: the flag alone asks for it",
    ]);
    expect(problemsOf({ argv: ["--host", ""] })).toEqual([
      '--host: given "", expected a host name or an IP address',
    ]);
  });
});

test("a short request timeout shortens the headers' with it", () => {
  expect(configOf({ env: { REQUEST_TIMEOUT_MS: "2000" } }).server.headersTimeoutMs).toBe(2000);
});

describe("what only one command knows", () => {
  test.each([
    [["help"], { markdown: false, api: false }],
    [["help", "--markdown"], { markdown: true }],
    [["schema", "--api"], { api: true }],
  ])("%s", (argv, expected) => {
    expect(configOf({ argv })).toMatchObject(expected);
  });

  test.each([
    ["serve", "--api"],
    ["schema", "--port", "1"],
  ])("is unknown to the others: %s %s", (...argv) => {
    expect(problemsOf({ argv })).toHaveLength(1);
  });
});

describe("the sandbox's options", () => {
  const env = { SANDBOX_PORT: "tcp://10.0.0.1:80", SANDBOX_RELEASE: "2024.2" };

  test("are not read beside an authentik: Kubernetes sets SANDBOX_PORT for a service of that name", () => {
    const { sandbox } = configOf({ env: { ...env, AUTHENTIK_URL: "https://id.example.org" } });
    expect(sandbox).toMatchObject({ port: 0, release: "2026.8" });
    expect(configOf({ env, argv: ["--authentik-url=https://id.example.org"] }).sandbox.port).toBe(0);
  });

  test("are read where the sandbox runs", () => {
    for (const argv of [["serve"], ["sandbox"]]) {
      expect(problemsOf({ env: { AUTHENTIK_URL: undefined, ...env }, argv })).toEqual([
        expect.stringContaining("SANDBOX_PORT"),
      ]);
    }
  });

  test("faults are read with their shares", () => {
    const { faults } = configOf({ argv: ["--faults", "reset:0.5, hang"] }).sandbox;
    expect(faults).toEqual([
      { name: "reset", ratio: 0.5 },
      { name: "hang", ratio: 1 },
    ]);
    expect(problemsOf({ argv: ["--faults", "reset:2"] })).toHaveLength(1);
  });
});

describe("a variable that nobody reads and that is nearly one of ours", () => {
  test.each([
    ["AUTHENTIK_URl", "AUTHENTIK_URL"],
    ["AUTHENTIK_ULR", "AUTHENTIK_URL"],
    ["authentik_token_file", "AUTHENTIK_TOKEN_FILE"],
    ["LOGLEVEL", "LOG_LEVEL"],
    ["CORS_ORIGIN", "CORS_ORIGINS"],
    ["port", "PORT"],
  ])("%s: did you mean %s?", (variable, meant) => {
    const { warnings } = load({ env: { [variable]: "canary" } });
    expect(warnings).toEqual([`${variable} is not read by anything: did you mean ${meant}?`]);
  });

  test.each([
    ["far from all of them", { AUTHENTIK_SECRET_KEY: "x", COST: "x", PATH: "x", HOSTNAME: "x" }],
    ["beside the right one", { LOG_LEVEL: "info", LOGLEVEL: "info" }],
    ["one that another command reads", { METRIC: "x" }, ["schema"]],
  ])("no warning: %s", (_name, env, argv = []) => {
    expect(load({ env, argv }).warnings).toEqual([]);
  });

  test("is told beside the problem that it causes", () => {
    const loaded = load({ env: { NODE_ENV: "production", AUTHENTIK_URl: "https://id.example.org" } });
    expect(loaded).toMatchObject({
      problems: [{ name: "AUTHENTIK_URL" }],
      warnings: [expect.stringContaining("AUTHENTIK_URl")],
    });
  });
});

test("the limits on documents are options", () => {
  const { documentLimits } = configOf({ env: { MAX_FIELDS: "200", MAX_ALIASES_OF_ONE_FIELD: "5" } }).gateway;
  expect(documentLimits).toMatchObject({ maxFields: 200, maxAliasesOfOneField: 5 });
});
