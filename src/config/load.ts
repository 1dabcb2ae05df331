import { isIPv6 } from "node:net";
import { closestMatch } from "leven";
import * as v from "valibot";
import { type Arguments, type ConfigProblem, parseArguments, presentable } from "./command-line.ts";
import { isReadBy } from "./option.ts";
import { options, sections, type Values } from "./options.ts";
import { parseSecretFile, type Secret, type SecretName, whyUnreadable } from "./secret.ts";

/** Everything the process was told, checked. Durations in milliseconds, sizes in bytes. */
export type Config = Readonly<ReturnType<typeof toConfig>> & {
  readonly command: Arguments["command"];
  /** Whether `help` prints the README's table instead. */
  readonly markdown: boolean;
  /** Whether `schema` prints the graph for clients, without what only federation needs. */
  readonly api: boolean;
};

/** Whose credentials authentik is shown: the caller's own, or the gateway's for whom shows its key (null: for anyone). */
export type Credentials =
  { mode: "caller" } | { mode: "service"; authentikToken: Secret; gatewayKey: Secret | null };

/** What keeps slow and numerous clients from wearing the process down. */
export type ServerLimits = Config["server"];

/** Where the configuration comes from. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Without the program and the script. */
  readonly argv: readonly string[];
  /** Reads a text file. @throws {Error} with a `code` such as ENOENT */
  readonly readFile: (path: string) => string;
}

/** The configuration, or all that is wrong with it; and sentences about what is probably not meant so. */
export type LoadedConfig = { readonly warnings: readonly string[] } & (
  { readonly config: Config } | { readonly problems: readonly ConfigProblem[] }
);

/** The problem in one line. */
export function problemLine({ name, given, expected }: ConfigProblem): string {
  return `${name}: ${given === undefined ? "" : `given ${given}, `}expected ${expected}`;
}

/** Reads the configuration: flags win over the environment. Reports every problem at once and never throws. */
export function loadConfig({ env, argv, readFile }: ConfigSources): LoadedConfig {
  const parsed = parseArguments(argv);
  const { command, extras } = parsed;
  const problems = [...parsed.problems];
  const { values, given } = readValues(parsed, env, problems);
  const read = (name: FileOption): string | undefined => {
    const path = values[name];
    try {
      return path === null ? undefined : readFile(path);
    } catch (error) {
      problems.push({
        name,
        given: `${JSON.stringify(path)} (${whyUnreadable(error)})`,
        expected: "the path of a readable file",
      });
      return undefined;
    }
  };
  const credentials = toCredentials(values, { given, read, problems });
  const caPem = read("AUTHENTIK_CA_FILE");
  if (caPem !== undefined && !caPem.includes("-----BEGIN CERTIFICATE-----")) {
    problems.push({ name: "AUTHENTIK_CA_FILE", expected: "a file with certificates in PEM form" });
  }
  if (command === "serve" && env["NODE_ENV"] === "production" && !given.has("AUTHENTIK_URL")) {
    const expected = "a URL, since the sandbox never stands in for it in production";
    problems.push({ name: "AUTHENTIK_URL", expected });
  }
  const warnings = misspelledVariables(parsed, env);
  if (problems.length > 0) {
    const named = problems.map((problem) => ({ ...problem, name: given.get(problem.name) ?? problem.name }));
    return { problems: named, warnings };
  }
  const extra = { command, markdown: extras.has("--markdown"), api: extras.has("--api") };
  return { config: { ...extra, ...toConfig(values, { credentials, caPem }) }, warnings };
}

/**
 * The value of every option: the flag's, else the variable's, else the default; and how those that were given, acceptable
 * or not, were written. Options of other commands, and of a sandbox that does not run, keep their defaults.
 */
function readValues(
  { command, flags }: Arguments,
  env: ConfigSources["env"],
  problems: ConfigProblem[],
): { values: Values; given: ReadonlyMap<string, string> } {
  const values: Record<string, unknown> = {};
  const given = new Map<string, string>();
  const ownAuthentik = command === "serve" && (flags.has("AUTHENTIK_URL") || Boolean(env["AUTHENTIK_URL"]));
  for (const [name, option] of options) {
    values[name] = option.default;
    const isRead = isReadBy(command, option) && !(ownAuthentik && name in sections.Sandbox);
    const variable = isRead ? env[name] : undefined;
    const isSet = variable !== undefined && (variable !== "" || option.emptyIsWrong === true);
    const { flag, text } = flags.get(name) ?? { flag: name, text: isSet ? variable : undefined };
    if (text === undefined) continue;
    given.set(name, flag);
    const { success, output, issues } = v.safeParse(option.schema, text);
    if (success) values[name] = output;
    else {
      const shown = option.secret === true ? "a secret that is not shown" : presentable(text);
      problems.push({ name, given: shown, expected: issues[0].message });
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each is its option's default or its schema's output
  return { values: values as Values, given };
}

type FileOption = "AUTHENTIK_TOKEN_FILE" | "GATEWAY_KEY_FILE" | "AUTHENTIK_CA_FILE";

/** Whose credentials authentik is shown, and every reason why that cannot be told. */
function toCredentials(
  values: Values,
  sources: {
    given: ReadonlyMap<string, string>;
    read: (name: FileOption) => string | undefined;
    problems: ConfigProblem[];
  },
): Credentials {
  const { given, read, problems } = sources;
  const secret = (name: SecretName): Secret | null => {
    const { [name]: value, [`${name}_FILE` as const]: file } = values;
    if (!given.has(`${name}_FILE`)) return value === null ? null : { name, value, file: null };
    if (given.has(name)) problems.push({ name, expected: `only one of ${name} and ${name}_FILE` });
    const content = read(`${name}_FILE`);
    if (content === undefined) return null;
    const parsed = parseSecretFile(name, content);
    if ("value" in parsed) return { name, value: parsed.value, file };
    problems.push({ name: `${name}_FILE`, given: "a file", expected: parsed.expected });
    return null;
  };
  const authentikToken = secret("AUTHENTIK_TOKEN");
  const gatewayKey = secret("GATEWAY_KEY");
  const isGiven = (name: SecretName): boolean => given.has(name) || given.has(`${name}_FILE`);
  const [token, key, open] = [isGiven("AUTHENTIK_TOKEN"), isGiven("GATEWAY_KEY"), values.OPEN_ACCESS];
  const complain = (name: string, expected: string) => problems.push({ name, expected });
  const withToken = "AUTHENTIK_TOKEN with it: without a token callers show their own";
  if (key && !token) complain("GATEWAY_KEY", withToken);
  if (open && !token) complain("OPEN_ACCESS", withToken);
  if (open && token && key) {
    complain("OPEN_ACCESS", "either OPEN_ACCESS or GATEWAY_KEY, since they contradict each other");
  }
  if (token && !key && !open) {
    const why = "that callers must show, since AUTHENTIK_TOKEN speaks for all of them";
    complain(
      "GATEWAY_KEY",
      `a key of at least 16 characters ${why} (or OPEN_ACCESS=true to let everyone in)`,
    );
  }
  return authentikToken === null ? { mode: "caller" } : { mode: "service", authentikToken, gatewayKey };
}

/** Short names are a letter away from much that has nothing to do with them, such as HOST from COST. */
const SHORTEST_MISSPELLED = 6;
/** Two letters that have changed places count as two. */
const MOST_TYPOS = 2;

/** A sentence for each variable that nobody reads and that is a known one but for its case or a typo. */
function misspelledVariables({ command }: Arguments, env: ConfigSources["env"]): string[] {
  const missing = options.flatMap(([name, option]) => (isReadBy(command, option) && !env[name] ? name : []));
  const long = missing.filter((name) => name.length >= SHORTEST_MISSPELLED);
  return Object.keys(env).flatMap((variable) => {
    if (options.some(([name]) => name === variable)) return [];
    const upper = variable.toUpperCase();
    const meant = missing.includes(upper) ? upper : closestMatch(upper, long, { maxDistance: MOST_TYPOS });
    return meant === undefined ? [] : [`${variable} is not read by anything: did you mean ${meant}?`];
  });
}

function toConfig(
  values: Values,
  { credentials, caPem }: { credentials: Credentials; caPem: string | undefined },
) {
  const settings = settingsOf(values);
  return {
    ...settings,
    authentik: {
      ...(caPem !== undefined && { caPem }),
      concurrency: values.AUTHENTIK_CONCURRENCY,
      queueMax: values.AUTHENTIK_QUEUE_MAX,
      maxResponseBytes: values.AUTHENTIK_MAX_RESPONSE_BYTES,
      connectTimeoutMs: values.AUTHENTIK_CONNECT_TIMEOUT_MS,
      coalesce: values.COALESCE,
      cacheTtlMs: values.CACHE_TTL_MS,
      cacheMaxBytes: values.CACHE_MAX_BYTES,
      retry: values.AUTHENTIK_RETRY,
      list: values.LIST_STRATEGY === "auto",
    },
    gateway: {
      ...settings,
      credentials,
      documentLimits: settings,
      allowedHosts: allowedHosts(values, credentials),
    },
    sandbox: {
      release: values.SANDBOX_RELEASE,
      port: values.SANDBOX_PORT,
      latencyMs: values.SANDBOX_LATENCY_MS,
      authentikCost: values.SANDBOX_AUTHENTIK_COST,
      faults: values.SANDBOX_FAULTS,
    },
    server: {
      headersTimeoutMs: Math.min(values.HEADERS_TIMEOUT_MS, values.REQUEST_TIMEOUT_MS),
      requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
      socketTimeoutMs: values.SOCKET_TIMEOUT_MS,
      answerTimeoutMs: values.ANSWER_TIMEOUT_MS,
      keepAliveTimeoutMs: values.KEEP_ALIVE_TIMEOUT_MS,
      maxConnections: values.MAX_CONNECTIONS,
    },
  };
}

type CamelCase<Name extends string> = Name extends `${infer Word}_${infer Others}`
  ? `${Lowercase<Word>}${Capitalize<CamelCase<Others>>}`
  : Lowercase<Name>;

type Settings = {
  readonly [Name in Exclude<keyof Values, SecretName> as CamelCase<Name>]: Values[Name];
};

/** The values by their names in code: `MAX_BODY_BYTES` is `maxBodyBytes`. Secrets are in the credentials alone. */
function settingsOf({ AUTHENTIK_TOKEN: _token, GATEWAY_KEY: _key, ...values }: Values): Settings {
  const named = Object.entries(values).map(([name, value]) => [
    name.toLowerCase().replaceAll(/_(.)/g, (_match, letter: string) => letter.toUpperCase()),
    value,
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type says of names what the line above does
  return Object.fromEntries(named) as Settings;
}

/**
 * Where reaching the gateway suffices and only this machine can, the name in `Host` is checked unless told otherwise:
 * a web page whose name was pointed to 127.0.0.1 could read responses in a visitor's browser.
 */
function allowedHosts({ ALLOWED_HOSTS, HOST }: Values, credentials: Credentials): readonly string[] {
  const open = credentials.mode === "service" && credentials.gatewayKey === null;
  if (ALLOWED_HOSTS.length > 0 || !open) return ALLOWED_HOSTS;
  const written = isIPv6(HOST) ? `[${HOST}]` : HOST;
  // As browsers write it: an address has many spellings (127.1, 0x7f.1, ::ffff:127.0.0.1), names take any case.
  const url = `http://${written.replace(/%[^\]]*/, "")}`;
  const hostname = URL.canParse(url) ? new URL(url).hostname : "";
  return LOOPBACK.test(hostname) ? [...new Set(["localhost", "127.0.0.1", "[::1]", hostname, written])] : [];
}

const LOOPBACK = /^(?:(?:ip6-)?(?:localhost|loopback)\.?|127\.[\d.]+|\[::1\]|\[::ffff:7f..:[^\]]+\])$/;
