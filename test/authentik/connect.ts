import { onTestFinished } from "vitest";
import { createAuthentik } from "../../src/authentik/client.ts";
import type { Authentik, AuthentikOptions } from "../../src/authentik/client.ts";
import type { UpstreamRequest } from "../../src/authentik/request.ts";
import { type FakeAuthentikOptions, startFakeAuthentik } from "../support/fake-authentik.ts";
import { TEST_AUTHENTIK_OPTIONS } from "../support/gateway.ts";

/** The product's client with its defaults, but for a test, which closes it at its end. */
export function connect(url: URL, options: Partial<AuthentikOptions> = {}): Authentik {
  const authentik = createAuthentik({ ...TEST_AUTHENTIK_OPTIONS, url, ...options });
  onTestFinished(() => authentik.close());
  return authentik;
}

/** The same before a fake authentik of the test's own. */
export async function connectToFake({
  fake: fakeOptions = {},
  ...options
}: Partial<AuthentikOptions> & { fake?: FakeAuthentikOptions } = {}) {
  const fake = await startFakeAuthentik(fakeOptions);
  onTestFinished(() => fake.close());
  return { fake, authentik: connect(fake.url, options) };
}

/** One operation of one caller. */
export function operation(authentik: Authentik, { token = "token-of-alice", maxRestCalls = 100_000 } = {}) {
  const identity = authentik.identify(`Bearer ${token}`);
  return authentik.forCaller({ identity, requestId: "request-1", maxRestCalls });
}

export function retrieve(pk: number): UpstreamRequest {
  const list = "/sources/user_connections/plex/";
  return { route: `${list}{id}/`, path: `${list}${pk}/` };
}
