/** Where things answer, for the person who started them. */
export interface BannerOptions {
  host: string;
  port: number;
  /** The stand-in for authentik, if it runs. */
  sandbox: { url: string; release: string; token: string } | null;
}

/**
 * What is printed once requests are answered. Its first line is `GraphQL: ` and the URL, for scripts;
 * in front of the sandbox the rest is a request to try.
 */
export function banner({ host, port, sandbox }: BannerOptions): string {
  const url = `${baseUrl(host, port)}/graphql`;
  const first = `GraphQL: ${url}\n`;
  return sandbox === null ? first : `${first}\n${sandboxText(url, sandbox)}\n`;
}

/** URL of a server that listens there; of this machine where it listens on every address. */
export function baseUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function sandboxText(
  url: string,
  { url: sandboxUrl, release, token }: NonNullable<BannerOptions["sandbox"]>,
) {
  return `AUTHENTIK_URL is not set: a sandbox with made-up data stands in for authentik ${release} (${sandboxUrl}).
Open the URL in a browser, or ask it something:

  curl ${url} \\
    -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' \\
    -d '{"query":"{ plexConnection(id: 5) { identifier user source { name } } }"}'

With your own: AUTHENTIK_URL=https://id.example.org npm start
`;
}
