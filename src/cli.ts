import { get } from "node:http";
import { networkInterfaces } from "node:os";
import { basename } from "node:path";
import { helpMarkdown, helpText } from "./config/help.ts";
import { type Config, type ConfigSources, loadConfig, problemLine } from "./config/load.ts";
import { listenFailure, onEndSignals, type ProcessContext, StartFailure } from "./lifecycle.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";

/** Addresses of this machine that the banner has at most: containers and tunnels have theirs as well. */
const MAX_ADDRESSES = 3;

/** How long `health` waits for a response. */
const HEALTH_TIMEOUT_MS = 2000;

/** Does what the command line asks for. Resolves with the exit code; what a command needs is loaded only for it. */
export async function run(sources: ConfigSources, context: ProcessContext): Promise<number> {
  const { printError } = context;
  const loaded = loadConfig(sources);
  for (const warning of loaded.warnings) printError(`Warning: ${warning}\n`);
  if ("problems" in loaded) {
    const lines = loaded.problems.map((problem) => `  ${problemLine(problem)}\n`);
    printError(`authentik-graphql cannot start with this configuration:\n${lines.join("")}`);
    printError("authentik-graphql --help explains every option.\n");
    return 2;
  }
  try {
    return await commands[loaded.config.command](loaded.config, context);
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    printError(`${error.message}\n`);
    return 1;
  }
}

const commands: Readonly<
  Record<Config["command"], (config: Config, context: ProcessContext) => number | Promise<number>>
> = {
  async serve(config, context) {
    const { serve } = await import("./serve.ts");
    return serve(config, {
      ...context,
      startSandbox: () => createSandbox({ ...config.sandbox, host: "127.0.0.1" }),
      onListening: (address) => context.print(banner(config, { ...address, ...context })),
    });
  },

  async sandbox({ sandbox, host }, { print, events, invocation }) {
    const running = await createSandbox({ ...sandbox, host });
    const { url, release, tokens } = running;
    const base = baseUrl(host, Number(url.port));
    const lines = Object.values(tokens).map(({ token, meaning }) => `  ${token.padEnd(24)}${meaning}\n`);
    print(`Sandbox: ${base}

It answers as authentik ${release} does, with made-up data, to these bearer tokens:

${lines.join("")}
  curl ${base}/api/v3/sources/user_connections/plex/5/ -H 'Authorization: Bearer ${tokens.administrator.token}'
  AUTHENTIK_URL=${base} ${invocation}
`);
    await new Promise<void>((end) => onEndSignals(events, { first: () => end(), again: () => {} }));
    await running.close();
    return 0;
  },

  async health({ host, port }, { print, printError }) {
    if (port === 0)
      throw new StartFailure("PORT 0 is any free one: name the port that the gateway listens on.");
    const url = `${baseUrl(host, port)}/healthz`;
    const outcome = await new Promise<string>((resolve) => {
      const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
      // Not by its URL, which has no place for every address that one can listen on.
      const target = { host: reachable(host), port, path: "/healthz" };
      get({ ...target, agent: false, signal }, ({ statusCode }) => resolve(String(statusCode))).on(
        "error",
        ({ message }) => resolve(signal.aborted ? `no answer within ${HEALTH_TIMEOUT_MS} ms` : message),
      );
    });
    if (outcome === "200") print(`${url} answers\n`);
    else printError(`${url}: ${outcome}\n`);
    return outcome === "200" ? 0 : 1;
  },

  async schema({ federationLinkUrl, mutations, api }, { print }) {
    const [{ createSchema }, { printApiSchema, printSchema }] = await Promise.all([
      import("./graphql/schema.ts"),
      import("./graphql/print.ts"),
    ]);
    print((api ? printApiSchema : printSchema)(createSchema({ federationLinkUrl, mutations })));
    return 0;
  },

  help({ markdown }, { print }) {
    print(markdown ? helpMarkdown() : helpText());
    return 0;
  },

  version(_config, { print, version }) {
    print(`${version}\n`);
    return 0;
  },
};

/** @throws {StartFailure} when it cannot listen */
async function createSandbox(options: Config["sandbox"] & { host: string }) {
  const sandbox = await import("./sandbox/sandbox.ts");
  try {
    return await sandbox.createSandbox(options);
  } catch (error) {
    throw listenFailure(error, { ...options, flag: "--sandbox-port" });
  }
}

/**
 * What was typed to start this program, as far as it can be told: npm says so in the environment, a link of npm's in a
 * `bin` folder has the package's name. Else with the whole path: the folder that it was started in may be gone.
 */
export function invocationOf(env: ConfigSources["env"], script: string): string {
  if (env["npm_lifecycle_event"] === "start") return "npm start";
  return basename(script) === "main.js" ? `node ${script}` : "authentik-graphql";
}

/** A host under which a server that listens there is reached from this machine. */
function reachable(host: string): string {
  return host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
}

/** URL of a server that listens there, for this machine. */
function baseUrl(host: string, port: number): string {
  const name = reachable(host);
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/**
 * Addresses by which other machines reach a server that listens on every address, IPv4 first: that is what people type.
 * Without those that need the name of a network card beside them (fe80::).
 */
export function addressesFor(host: string, list = networkInterfaces): string[] {
  if (host !== "0.0.0.0" && host !== "::") return [];
  let interfaces: ReturnType<typeof list> = {};
  try {
    interfaces = list();
  } catch {
    // A service without AF_NETLINK, such as deploy/systemd's, may not ask the system for them.
  }
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const ofFamily = (wanted: string): string[] =>
    outward.filter(({ family }) => family === wanted).map(({ address }) => address);
  return [...ofFamily("IPv4"), ...(host === "::" ? ofFamily("IPv6") : [])].slice(0, MAX_ADDRESSES);
}

/**
 * What is printed once requests are answered. Its first line is `GraphQL: ` and the URL, for scripts; then the URLs for
 * other machines, if they are let in; in front of the sandbox the rest is a request to try.
 */
function banner(
  { host, gateway: { credentials, graphiql } }: Config,
  { port, sandbox, invocation }: { port: number; sandbox: Sandbox | null; invocation: string },
): string {
  const url = `${baseUrl(host, port)}/graphql`;
  const urls = addressesFor(host).map((address) => `${baseUrl(address, port)}/graphql`);
  const first = `GraphQL: ${url}\n${urls.length === 0 ? "" : `From other machines: ${urls.join(" or ")}\n`}`;
  if (sandbox === null) return first;
  const ask = graphiql ? "Open the URL in a browser, or ask it something:" : "Ask it something:";
  const ownToken = `\n    -H 'Authorization: Bearer ${sandbox.tokens.administrator.token}' \\`;
  const gatewayKey = `\n    -H "Authorization: Bearer $GATEWAY_KEY" \\`;
  const authorization =
    credentials.mode === "caller" ? ownToken : credentials.gatewayKey === null ? "" : gatewayKey;
  return `${first}
AUTHENTIK_URL is not set: a sandbox with made-up data stands in for authentik ${sandbox.release} (${sandbox.url.origin}).
${ask}

  curl ${url} -H 'Content-Type: application/json' \\${authorization}
    -d '{"query":"{ plexConnection(id: 5) { identifier user source { name } } }"}'

With your own: AUTHENTIK_URL=https://id.example.org ${invocation}

`;
}
