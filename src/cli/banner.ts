import type { Config } from "../config.ts";
import type { RunningSandbox } from "./serving.ts";

/** Where things answer, for the person who started them. */
export interface BannerOptions {
  port: number;
  /** The stand-in for authentik, if it runs. */
  sandbox: RunningSandbox | null;
}

/**
 * What is printed once requests are answered. Its first line is `GraphQL: ` and the URL, for scripts;
 * in front of the sandbox the rest is a request to try.
 */
export function banner({ host, gateway }: Config, { port, sandbox }: BannerOptions): string {
  const url = `${baseUrl(host, port)}/graphql`;
  const first = `GraphQL: ${url}\n`;
  if (sandbox === null) return first;
  const tryIt = gateway.graphiql ? "Open the URL in a browser, or ask it something:" : "Ask it something:";
  return `${first}
AUTHENTIK_URL is not set: a sandbox with made-up data stands in for authentik ${sandbox.release} (${sandbox.url}).
${tryIt}

  curl ${url} -H 'Content-Type: application/json' \\${authorizationLine(gateway.credentials, sandbox)}
    -d '{"query":"{ plexConnection(id: 5) { identifier user source { name } } }"}'

With your own: AUTHENTIK_URL=https://id.example.org npm start

`;
}

/** URL of a server that listens there; of this machine where it listens on every address. */
export function baseUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function authorizationLine(credentials: Config["gateway"]["credentials"], { token }: RunningSandbox): string {
  if (credentials.mode === "caller") return `\n    -H 'Authorization: Bearer ${token}' \\`;
  return credentials.gatewayKey === null ? "" : `\n    -H "Authorization: Bearer $GATEWAY_KEY" \\`;
}
