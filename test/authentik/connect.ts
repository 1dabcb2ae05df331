import { createAuthentik } from "../../src/authentik/client.ts";
import type {
  Authentik,
  AuthentikClient,
  AuthentikOptions,
  UpstreamRequest,
} from "../../src/authentik/client.ts";
import { TEST_AUTHENTIK_OPTIONS } from "../support/gateway.ts";

/** The product's client with its defaults, but for a test. */
export function connect(url: URL, options: Partial<AuthentikOptions> = {}): Authentik {
  return createAuthentik({ ...TEST_AUTHENTIK_OPTIONS, url, ...options });
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
