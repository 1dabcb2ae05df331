import { onTestFinished } from "vitest";
import { AuthentikError, orError } from "../../src/authentik/authentik-error.ts";
import { createAuthentik } from "../../src/authentik/client.ts";
import type { Authentik, AuthentikClient, AuthentikOptions } from "../../src/authentik/client.ts";
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

export function retrieve(pk: number) {
  const list = "/sources/user_connections/plex/";
  return { route: `${list}{id}/`, path: `${list}${pk}/` };
}

/** What becomes of calls of one operation, made at once. */
export async function outcomesOf(
  client: AuthentikClient,
  count: number,
  first = 1,
): Promise<ReadonlySet<string>> {
  const calls = Array.from({ length: count }, (_, index) => orError(client.get(retrieve(first + index))));
  const outcomes = await Promise.all(calls);
  return new Set(outcomes.map((outcome) => (outcome instanceof AuthentikError ? outcome.kind : "answered")));
}
