import { onTestFinished } from "vitest";
import { createAuthentik } from "../../src/authentik/client.ts";
import type {
  Authentik,
  AuthentikClient,
  AuthentikOptions,
  UpstreamRequest,
} from "../../src/authentik/client.ts";
import {
  type AnswerHandler,
  type FakeAuthentik,
  type FakeAuthentikOptions,
  startFakeAuthentik,
} from "../support/fake-authentik.ts";
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
}: Partial<AuthentikOptions> & { fake?: FakeAuthentikOptions } = {}): Promise<{
  fake: FakeAuthentik;
  authentik: Authentik;
}> {
  const fake = await startFakeAuthentik(fakeOptions);
  onTestFinished(() => fake.close());
  return { fake, authentik: connect(fake.url, options) };
}

/** Answers when this has come. */
export function answerAfter(opened: Promise<void>): AnswerHandler {
  return async (_request, _response, fallback) => {
    await opened;
    fallback();
  };
}

export interface TestCaller {
  token?: string;
  maxRestCalls?: number;
}

/** One operation of one caller. */
export function operation(authentik: Authentik, caller: TestCaller = {}): AuthentikClient {
  return authentik.forCaller({
    identity: authentik.identify(`Bearer ${caller.token ?? "token-of-alice"}`),
    requestId: "request-1",
    maxRestCalls: caller.maxRestCalls ?? 100_000,
  });
}

export function retrieve(pk: number): UpstreamRequest {
  return {
    route: "/sources/user_connections/plex/{id}/",
    path: `/sources/user_connections/plex/${pk}/`,
  };
}
