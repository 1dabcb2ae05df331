import type { AuthentikOptions } from "./authentik/client.ts";
import { parseArguments } from "./config/arguments.ts";
import { readCredentials, type ReadFile, readTextFile } from "./config/credentials.ts";
import type { Command } from "./config/option.ts";
import type { Values } from "./config/options.ts";
import type { ConfigProblem } from "./config/problem.ts";
import { readValues } from "./config/values.ts";
import type { Credentials } from "./server/credentials.ts";
import type { GatewayOptions } from "./server/gateway.ts";

/** Everything the process was told, checked and frozen. Durations in milliseconds, sizes in bytes. */
export interface Config {
  readonly command: Command;
  /** Whether `help` prints the table of the README instead. */
  readonly markdown: boolean;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly workers: "auto" | number;
  /** null: the embedded sandbox answers. */
  readonly authentikUrl: URL | null;
  readonly authentik: Omit<AuthentikOptions, "url" | "userAgent">;
  /** Without what is known only when the sandbox runs. */
  readonly gateway: Omit<GatewayOptions, "sandboxToken">;
  readonly federationLinkUrl: string;
  readonly sandbox: {
    readonly release: Values["SANDBOX_RELEASE"];
    readonly port: number;
    readonly latencyMs: number;
    readonly authentikCost: boolean;
    readonly faults: Values["SANDBOX_FAULTS"];
  };
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly metrics: boolean;
  readonly readinessCacheMs: number;
  readonly server: ServerLimits;
  readonly drainGraceMs: number;
  readonly drainTimeoutMs: number;
}

/** The least important kind of line that is logged. */
export type LogLevel = Values["LOG_LEVEL"];

/** Lines for machines, for people, or whichever fits where they go. */
export type LogFormat = Values["LOG_FORMAT"];

/** What keeps slow and numerous clients from wearing the process down. */
export interface ServerLimits {
  /** From the first byte of a connection or request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
  /** Without progress while an answer waits to be read. */
  readonly socketTimeoutMs: number;
  /** For reading a whole answer. */
  readonly answerTimeoutMs: number;
  /** Between two requests of a connection. */
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
}

/** Where the configuration comes from. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Without the program and the script. */
  readonly argv: readonly string[];
  readonly readFile: ReadFile;
}

/** Reads the configuration: flags win over the environment. Reports every problem at once and never throws. */
export function loadConfig(
  sources: ConfigSources,
): { readonly config: Config } | { readonly problems: readonly ConfigProblem[] } {
  const { env, argv, readFile } = sources;
  const parsed = parseArguments(argv);
  const { values, problems: valueProblems } = readValues(parsed, env);
  const { credentials, problems: credentialProblems } = readCredentials(values, readFile);
  const problems = [...parsed.problems, ...valueProblems, ...credentialProblems];
  const caPem = readCertificates(values, readFile, problems);
  const urlMissing = values.AUTHENTIK_URL === null && !valueProblems.some(({ name }) => isUrlOption(name));
  if (parsed.command === "serve" && urlMissing && env["NODE_ENV"] === "production") {
    problems.push({
      name: "AUTHENTIK_URL",
      expected: "a URL, since the sandbox never stands in for it in production",
    });
  }
  if (problems.length > 0) return { problems };
  const { command, markdown } = parsed;
  return { config: deepFreeze({ command, markdown, ...toConfig(values, credentials, caPem) }) };
}

function isUrlOption(name: string): boolean {
  return name === "AUTHENTIK_URL" || name === "--authentik-url";
}

function readCertificates(values: Values, readFile: ReadFile, problems: ConfigProblem[]): string | undefined {
  if (values.AUTHENTIK_CA_FILE === null) return undefined;
  const pem = readTextFile(values.AUTHENTIK_CA_FILE, "AUTHENTIK_CA_FILE", readFile, problems);
  if (pem !== undefined && !pem.includes("-----BEGIN CERTIFICATE-----")) {
    const given = JSON.stringify(values.AUTHENTIK_CA_FILE);
    problems.push({ name: "AUTHENTIK_CA_FILE", given, expected: "a file with certificates in PEM form" });
  }
  return pem;
}

function toConfig(
  values: Values,
  credentials: Credentials,
  caPem: string | undefined,
): Omit<Config, "command" | "markdown"> {
  return {
    host: values.HOST,
    port: values.PORT,
    workers: values.WORKERS,
    authentikUrl: values.AUTHENTIK_URL,
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
    gateway: toGatewayOptions(values, credentials),
    federationLinkUrl: values.FEDERATION_LINK_URL,
    sandbox: {
      release: values.SANDBOX_RELEASE,
      port: values.SANDBOX_PORT,
      latencyMs: values.SANDBOX_LATENCY_MS,
      authentikCost: values.SANDBOX_AUTHENTIK_COST,
      faults: values.SANDBOX_FAULTS,
    },
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
    metrics: values.METRICS,
    readinessCacheMs: values.READINESS_CACHE_MS,
    server: {
      headersTimeoutMs: Math.min(values.HEADERS_TIMEOUT_MS, values.REQUEST_TIMEOUT_MS),
      requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
      socketTimeoutMs: values.SOCKET_TIMEOUT_MS,
      answerTimeoutMs: values.ANSWER_TIMEOUT_MS,
      keepAliveTimeoutMs: values.KEEP_ALIVE_TIMEOUT_MS,
      maxConnections: values.MAX_CONNECTIONS,
    },
    drainGraceMs: values.DRAIN_GRACE_MS,
    drainTimeoutMs: values.DRAIN_TIMEOUT_MS,
  };
}

function toGatewayOptions(values: Values, credentials: Credentials): Config["gateway"] {
  return {
    credentials,
    operationTimeoutMs: values.OPERATION_TIMEOUT_MS,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxHeaderCount: values.MAX_HEADER_COUNT,
    maxRestCalls: values.MAX_REST_CALLS,
    maxRepresentations: values.MAX_REPRESENTATIONS,
    documentLimits: {
      maxTokens: values.MAX_TOKENS,
      maxDepth: values.MAX_DEPTH,
      maxAliases: values.MAX_ALIASES,
      maxRootFields: values.MAX_ROOT_FIELDS,
      maxDirectives: values.MAX_DIRECTIVES,
      maxFragments: values.MAX_FRAGMENTS,
    },
    persistedQueriesBytes: 4_000_000,
    documentCacheBytes: values.DOCUMENT_CACHE_BYTES,
    introspection: values.INTROSPECTION,
    graphiql: values.GRAPHIQL,
    corsOrigins: values.CORS_ORIGINS,
    allowedHosts: allowedHosts(values, credentials),
    batchLimit: values.BATCH_LIMIT,
    coalesce: values.COALESCE,
    maxOperationsInFlight: values.MAX_OPERATIONS_IN_FLIGHT,
  };
}

/**
 * Where reaching the gateway suffices and only this machine can, the name in `Host` is checked unless told otherwise:
 * a web page whose name was pointed to 127.0.0.1 could read answers in a visitor's browser.
 */
function allowedHosts({ ALLOWED_HOSTS, HOST }: Values, credentials: Credentials): readonly string[] {
  const open = credentials.mode === "service" && credentials.gatewayKey === null;
  const local = HOST === "localhost" || HOST === "::1" || HOST.startsWith("127.");
  return ALLOWED_HOSTS.length === 0 && open && local ? ["localhost", "127.0.0.1", "[::1]"] : ALLOWED_HOSTS;
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null && !(part instanceof URL)) deepFreeze(part);
  }
  return Object.freeze(value);
}
