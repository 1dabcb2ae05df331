import { createAuthentik } from "../../src/authentik/client.ts";
import type {
  Authentik,
  AuthentikClient,
  AuthentikOptions,
  UpstreamRequest,
} from "../../src/authentik/client.ts";

const DEFAULTS: Omit<AuthentikOptions, "url"> = {
  userAgent: "authentik-graphql/test",
  concurrency: "auto",
  queueMax: 1_000,
  maxResponseBytes: 5 * 1024 * 1024,
  connectTimeoutMs: 1_000,
  coalesce: true,
  cacheTtlMs: 0,
  cacheMaxBytes: 1_000_000,
  retry: true,
  list: true,
};

/** The product's client with its defaults, but for a test. */
export function connect(url: URL, options: Partial<AuthentikOptions> = {}): Authentik {
  return createAuthentik({ ...DEFAULTS, url, ...options });
}

export interface TestCaller {
  token?: string;
  signal?: AbortSignal;
  maxRestCalls?: number;
}

/** One operation of one caller. */
export function operation(authentik: Authentik, caller: TestCaller = {}): AuthentikClient {
  return authentik.forCaller({
    identity: authentik.identify(`Bearer ${caller.token ?? "token-of-alice"}`),
    requestId: "request-1",
    signal: caller.signal ?? new AbortController().signal,
    maxRestCalls: caller.maxRestCalls ?? 100_000,
  });
}

export const ROUTE = "/sources/user_connections/plex/{id}/";

export function retrieve(pk: number): UpstreamRequest {
  return { route: ROUTE, path: `/sources/user_connections/plex/${pk}/` };
}
