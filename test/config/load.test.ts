import { describe, expect, test } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import { type ConfigSources, loadConfig } from "../../src/config/load.ts";
import { problemLine } from "../../src/config/problem.ts";

type Env = Record<string, string>;

const key = "a-key-of-the-gateway";

const FILES: Record<string, string> = {
  "/run/token": "token\n",
  "/run/key": `${key}\r\n`,
  "/run/empty": "\n",
  "/run/short": "canary",
};

function load(sources: Partial<ConfigSources>) {
  return loadConfig({
    env: {},
    argv: [],
    readFile: (path) => {
      const content = FILES[path];
      if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return content;
    },
    ...sources,
  });
}

function problemsOf(sources: Partial<ConfigSources>): string[] {
  const loaded = load(sources);
  return "problems" in loaded ? loaded.problems.map(problemLine) : [];
}

function configOf(sources: Partial<ConfigSources>) {
  const loaded = load(sources);
  if ("problems" in loaded) throw new Error(loaded.problems.map(problemLine).join("\n"));
  return loaded.config;
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
});

describe("where a value comes from", () => {
  test.each<[string, Env, string[], number]>([
    ["a variable", { PORT: "5000" }, [], 5000],
    ["a flag with a space", {}, ["serve", "--port", "5001"], 5001],
    ["a flag with an equals sign", {}, ["serve", "--port=5002"], 5002],
    ["a flag without a command", {}, ["--port=5003"], 5003],
    ["a flag that wins over a variable", { PORT: "5000" }, ["--port", "5004"], 5004],
    ["a flag that wins over a variable that is wrong", { PORT: "many" }, ["--port=0"], 0],
    ["the last of two flags", {}, ["--port=1", "--port=5005"], 5005],
    ["the default for an empty variable", { PORT: "" }, [], 4000],
  ])("%s", (_name, env, argv, port) => {
    expect(configOf({ env, argv }).port).toBe(port);
  });

  test.each([
    [["--no-graphiql"], false],
    [["--graphiql"], true],
    [["--graphiql=false"], false],
    [["--no-graphiql", "--graphiql"], true],
  ])("switches: %s", (argv, graphiql) => {
    expect(configOf({ argv, env: { GRAPHIQL: String(!graphiql) } }).gateway.graphiql).toBe(graphiql);
  });

  test.each<[string, Env, object]>([
    ["lists", { ALLOWED_HOSTS: "gw.example.org, b" }, { gateway: { allowedHosts: ["gw.example.org", "b"] } }],
    [
      "lists of origins",
      { CORS_ORIGINS: "https://a.example.org,http://b.test:3000" },
      { gateway: { corsOrigins: ["https://a.example.org", "http://b.test:3000"] } },
    ],
    ["limits on documents", { MAX_FIELDS: "200" }, { gateway: { documentLimits: { maxFields: 200 } } }],
    ["faults", { SANDBOX_FAULTS: "hang" }, { sandbox: { faults: [{ name: "hang", ratio: 1 }] } }],
    [
      "faults with their shares",
      { SANDBOX_FAULTS: "reset:0.5, hang:1" },
      { sandbox: { faults: [{ ratio: 0.5 }, { ratio: 1 }] } },
    ],
    [
      "a request timeout that shortens the headers' with it",
      { REQUEST_TIMEOUT_MS: "2000" },
      { server: { headersTimeoutMs: 2000 } },
    ],
  ])("%s", (_what, env, expected) => {
    expect(configOf({ env })).toMatchObject(expected);
  });
});

describe("a problem", () => {
  test("is reported with all others at once, each with name, given value and what is expected", () => {
    const env = {
      PORT: "99999",
      LOG_LEVEL: "verbose",
      CORS_ORIGINS: "example.org",
      AUTHENTIK_URL: "ftp://id.example.org",
      MAX_BODY_BYTES: "1MB",
      GRAPHIQL: "maybe",
    };
    const argv = ["serve", "--operation-timeout-ms", "soon", "--batch-limt=2", "extra"];
    expect(problemsOf({ env, argv })).toEqual([
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

  test.each([
    ["sreve", 'command "sreve": expected a known one; did you mean serve?'],
    ["xyzzyxyzzy", 'command "xyzzyxyzzy": expected one of serve, sandbox, health, schema, help, version'],
    ["--port", '--port: given "", expected a whole number from 0 to 65535'],
    ["--host ", '--host: given "", expected a host name or an IP address'],
    ["--no-metrics=true", "--no-metrics: expected no value: the flag alone switches it off"],
    ["schema --api=false", "--api: expected no value: the flag alone asks for it"],
    ["serve --api", "--api: expected a known option (--help lists them)"],
    ["schema --port=1", "--port: expected a known option (--help lists them)"],
    [
      "--authentik-ca-file=/none",
      '--authentik-ca-file: given "/none" (ENOENT), expected the path of a readable file',
    ],
    ["--authentik-ca-file=/run/key", "--authentik-ca-file: expected a file with certificates in PEM form"],
    ["--faults reset:2", expect.stringContaining('--faults: given "reset:2", expected faults separated by')],
  ])("is the command line %j", (line, problem) => {
    expect(problemsOf({ argv: line.split(" ") })).toEqual([problem]);
  });

  test.each<[string, Env, string, string[]]>([
    [
      "a missing AUTHENTIK_URL in production, instead of a sandbox",
      {},
      "serve",
      ["AUTHENTIK_URL: expected a URL, since the sandbox never stands in for it in production"],
    ],
    ["no missing AUTHENTIK_URL for the sandbox itself", {}, "sandbox", []],
    ["no AUTHENTIK_URL that is there", { AUTHENTIK_URL: "https://id.example.org" }, "serve", []],
  ])("is %s", (_what, env, command, problems) => {
    expect(problemsOf({ env: { NODE_ENV: "production", ...env }, argv: [command] })).toEqual(problems);
  });
});

describe("FEDERATION_LINK_URL", () => {
  const versions = "https://specs.apollo.dev/federation/";

  test.each(["v2.9", "v2.10", "v2.14"])("%s is a version that the SDL can link to", (version) => {
    const { federationLinkUrl } = configOf({ env: { FEDERATION_LINK_URL: versions + version } });
    expect(printSchema(createSchema({ federationLinkUrl }))).toContain(version);
  });

  test.each(["v1.0", "v2.0", "v2.8", "v2.99", "v2.9/"])("%s is none", (version) => {
    const problems = problemsOf({ env: { FEDERATION_LINK_URL: versions + version } });
    expect(problems).toEqual([expect.stringMatching(/^FEDERATION_LINK_URL: given /)]);
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
    const AUTHENTIK_URL = "https://me:hunter2@id.example.org/?token=hunter3#hunter4";
    const shown: unknown = expect.stringContaining('given "https://…@id.example.org/?…", expected');
    expect(problemsOf({ env: { AUTHENTIK_URL } })).toEqual([shown]);
  });
});

describe("whose credentials", () => {
  const TOKEN = { name: "AUTHENTIK_TOKEN", value: "token", file: null };
  const KEY = { name: "GATEWAY_KEY", value: key, file: null };

  test.each<[string, Env, string[], object, object | null]>([
    ["a token and a key", { AUTHENTIK_TOKEN: "token", GATEWAY_KEY: key }, [], TOKEN, KEY],
    ["open access, asked for by name", { AUTHENTIK_TOKEN: "token" }, ["--open-access"], TOKEN, null],
    [
      "both from files, whose last line break does not count,",
      { AUTHENTIK_TOKEN_FILE: "/run/token" },
      ["--gateway-key-file", "/run/key"],
      { ...TOKEN, file: "/run/token" },
      { ...KEY, file: "/run/key" },
    ],
  ])("%s are service mode", (_what, env, argv, authentikToken, gatewayKey) => {
    const { credentials } = configOf({ env, argv }).gateway;
    expect(credentials).toEqual({ mode: "service", authentikToken, gatewayKey });
  });

  test.each<[string, Env, string]>([
    ["a token alone", { AUTHENTIK_TOKEN: "token" }, "GATEWAY_KEY: expected a key"],
    ["a key without a token", { GATEWAY_KEY: key }, "GATEWAY_KEY: "],
    ["open access without a token", { OPEN_ACCESS: "true" }, "OPEN_ACCESS: "],
    ["a key and open access", { AUTHENTIK_TOKEN: "t", GATEWAY_KEY: key, OPEN_ACCESS: "1" }, "OPEN_ACCESS: "],
    ["a short key", { AUTHENTIK_TOKEN: "t", GATEWAY_KEY: "canary" }, "a secret that is not shown"],
    ["a short key in a file", { AUTHENTIK_TOKEN: "t", GATEWAY_KEY_FILE: "/run/short" }, "GATEWAY_KEY_FILE: "],
    ["a token with its scheme", { AUTHENTIK_TOKEN: "Bearer canary", GATEWAY_KEY: key }, "AUTHENTIK_TOKEN: "],
    [
      "a token twice",
      { AUTHENTIK_TOKEN: "t", AUTHENTIK_TOKEN_FILE: "/run/token", GATEWAY_KEY: key },
      "AUTHENTIK_TOKEN: ",
    ],
    ["a missing file", { AUTHENTIK_TOKEN_FILE: "/run/nothing", GATEWAY_KEY: key }, "AUTHENTIK_TOKEN_FILE: "],
    ["an empty file", { AUTHENTIK_TOKEN_FILE: "/run/empty", GATEWAY_KEY: key }, "AUTHENTIK_TOKEN_FILE: "],
  ])("%s is a problem, and no secret is shown", (_name, env, problem) => {
    const problems = problemsOf({ env });
    expect(problems).toContainEqual(expect.stringContaining(problem));
    expect(problems.join("\n")).not.toContain("canary");
  });

  test.each([
    ["--authentik-token canary", "or in a file (--authentik-token-file)"],
    ["--gateway-key=canary", "or in a file (--gateway-key-file)"],
    ["--gateway-kee=canary", "did you mean --gateway-key?"],
    ["--gateway-kee canary", "did you mean --gateway-key?"],
  ])("a secret is not taken from the command line, nor shown: %s", (line, words) => {
    expect(problemsOf({ argv: line.split(" ") })).toEqual([expect.stringContaining(words)]);
    expect(problemsOf({ argv: line.split(" ") }).join("")).not.toContain("canary");
  });
});

describe("commands", () => {
  test.each([
    ["", { command: "serve" }],
    ["serve", { command: "serve" }],
    ["sandbox --release 2026.8", { command: "sandbox" }],
    ["health --port=1", { command: "health" }],
  ])("%j", (line, expected) => {
    expect(configOf({ argv: line.split(" ").filter(Boolean) })).toMatchObject(expected);
  });

  test.each([
    ["schema", { command: "schema", api: false }],
    ["schema --api", { command: "schema", api: true }],
    ["help", { command: "help", markdown: false }],
    ["help --markdown", { command: "help", markdown: true }],
    ["--help", { command: "help" }],
    ["serve -h", { command: "help" }],
    ["--version", { command: "version" }],
    ["-v", { command: "version" }],
  ])("%j does not care about what serve needs", (line, expected) => {
    const env = { PORT: "none", AUTHENTIK_URL: "nowhere", NODE_ENV: "production", GATEWAY_KEY: "x" };
    expect(configOf({ env, argv: line.split(" ") })).toMatchObject(expected);
  });
});

describe("the sandbox's options", () => {
  const env = { SANDBOX_PORT: "tcp://10.0.0.1:80", SANDBOX_RELEASE: "2024.2" };
  const AUTHENTIK_URL = "https://id.example.org";

  test.each([{ env: { ...env, AUTHENTIK_URL } }, { env, argv: [`--authentik-url=${AUTHENTIK_URL}`] }])(
    "are not read beside an authentik: Kubernetes sets SANDBOX_PORT for a service of that name",
    (sources) => {
      expect(configOf(sources).sandbox).toMatchObject({ port: 0, release: "2026.8" });
    },
  );

  test.each(["serve", "sandbox"])("are read where the sandbox runs: %s", (command) => {
    const problems = problemsOf({ env: { AUTHENTIK_URL: undefined, ...env }, argv: [command] });
    expect(problems).toEqual([expect.stringContaining("SANDBOX_PORT")]);
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
  ])("%s: did you mean %s? It is told beside the problem that it causes", (variable, meant) => {
    const told = [`${variable} is not read by anything: did you mean ${meant}?`];
    expect(load({ env: { [variable]: "canary" } }).warnings).toEqual(told);
    const { warnings, ...loaded } = load({ env: { [variable]: "canary", NODE_ENV: "production" } });
    expect(warnings).toEqual(told);
    expect(loaded).toMatchObject({ problems: [{ name: "AUTHENTIK_URL" }] });
  });

  test.each([
    ["far from all of them", { AUTHENTIK_SECRET_KEY: "x", COST: "x", PATH: "x", HOSTNAME: "x" }],
    ["beside the right one", { LOG_LEVEL: "info", LOGLEVEL: "info" }],
    ["one that another command reads", { METRIC: "x" }, ["schema"]],
  ])("no warning: %s", (_name, env, argv = []) => {
    expect(load({ env, argv }).warnings).toEqual([]);
  });
});
