import { afterEach, expect, test } from "vitest";
import { createAuthentik } from "../../src/authentik/authentik.ts";
import type { Authentik, AuthentikClient, AuthentikOptions } from "../../src/authentik/client.ts";
import { AuthentikError } from "../../src/authentik/errors.ts";
import { createGate, sendJson, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";

let fake: FakeAuthentik;
let authentik: Authentik;
afterEach(async () => {
  await authentik.close();
  await fake.close();
});

function connect(options: Partial<AuthentikOptions> = {}): void {
  authentik = createAuthentik({
    url: fake.url,
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
    ...options,
  });
}

function caller(
  options: { token?: string; signal?: AbortSignal; maxRestCalls?: number } = {},
): AuthentikClient {
  return authentik.forCaller({
    identity: authentik.identify(`Bearer ${options.token ?? "token-of-alice"}`),
    requestId: "request-1",
    signal: options.signal ?? new AbortController().signal,
    maxRestCalls: options.maxRestCalls ?? 1_000,
  });
}

const route = "/sources/user_connections/plex/{id}/";
const retrieve = (pk: number): { route: string; path: string } => ({
  route,
  path: `/sources/user_connections/plex/${pk}/`,
});

test("a retrieve gives the parsed body and sends exactly the allowed headers", async () => {
  fake = await startFakeAuthentik({ prefix: "/auth" });
  connect();
  const alice = caller();
  expect(await alice.get(retrieve(5))).toEqual(connectionBody(5));
  expect(fake.requests.map(({ method, path, headers }) => ({ method, path, headers }))).toEqual([
    {
      method: "GET",
      path: "/auth/api/v3/sources/user_connections/plex/5/",
      headers: [
        ["Host", fake.url.host],
        ["Connection", "keep-alive"],
        ["Accept", "application/json"],
        ["Accept-Language", "en"],
        ["User-Agent", "authentik-graphql/test"],
        ["X-Request-Id", "request-1"],
        ["Authorization", "Bearer token-of-alice"],
      ],
    },
  ]);
  expect(alice.usage).toMatchObject({ restCalls: 1, sharedCalls: 0, retries: 0, queuedMs: 0 });
});

test("identical calls of one caller in flight are one; another caller's is its own", async () => {
  fake = await startFakeAuthentik();
  connect();
  const [first, second, stranger] = [caller(), caller(), caller({ token: "token-of-bob" })];
  const answers = await Promise.all([first, second, stranger].map((client) => client.get(retrieve(5))));
  expect(answers).toEqual([connectionBody(5), connectionBody(5), connectionBody(5)]);
  expect(fake.requests.length).toBe(2);
  expect([first.usage.restCalls, second.usage.restCalls, second.usage.sharedCalls]).toEqual([1, 0, 1]);
});

test("a leader that leaves harms no follower; when the last one leaves the call is given up", async () => {
  const gate = createGate();
  fake = await startFakeAuthentik({
    answer: async (_request, _response, fallback) => {
      await gate.opened;
      fallback();
    },
  });
  connect();
  const leaders = new AbortController();
  const leader = caller({ signal: leaders.signal }).get(retrieve(5));
  const follower = caller().get(retrieve(5));
  const lonely = new AbortController();
  const left = caller({ signal: lonely.signal }).get(retrieve(6));
  await fake.arrived(2);
  leaders.abort(new AuthentikError("cancelled", "the client left"));
  lonely.abort(new AuthentikError("timeout", "the time budget ended"));
  await expect(leader).rejects.toMatchObject({ kind: "cancelled" });
  await expect(left).rejects.toMatchObject({ kind: "timeout" });
  await fake.abandoned(1);
  expect(fake.requests.map((request) => request.aborted)).toEqual([false, true]);
  gate.open();
  expect(await follower).toEqual(connectionBody(5));
  expect(authentik.state()).toMatchObject({ inFlight: 0, queued: 0 });
});

test("a 503 is asked once more, and the answer is the second one's", async () => {
  fake = await startFakeAuthentik();
  fake.answer((_request, response, fallback) => {
    if (fake.requests.length === 1) sendJson(response, 503, { error: "authentik starting" });
    else fallback();
  });
  connect();
  const alice = caller();
  expect(await alice.get(retrieve(5))).toEqual(connectionBody(5));
  expect(fake.requests.length).toBe(2);
  expect(alice.usage).toMatchObject({ restCalls: 2, retries: 1 });
});

test("the allowance of calls is refused before anything is sent", async () => {
  fake = await startFakeAuthentik();
  connect();
  const alice = caller({ maxRestCalls: 2 });
  const outcomes = await Promise.allSettled([1, 2, 3].map((pk) => alice.get(retrieve(pk))));
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(outcomes[2]).toMatchObject({ reason: { kind: "too-many-calls", route } });
  expect(fake.requests.length).toBe(2);
});

test("waiting calls leave at once when their signal says so, and a full queue refuses", async () => {
  const gate = createGate();
  fake = await startFakeAuthentik({
    answer: async (_request, _response, fallback) => {
      await gate.opened;
      fallback();
    },
  });
  connect({ concurrency: 1, queueMax: 2 });
  const running = caller().get(retrieve(1));
  await fake.arrived(1);
  const abort = new AbortController();
  const waiting = caller({ signal: abort.signal }).get(retrieve(2));
  await expect(caller().get(retrieve(3))).rejects.toMatchObject({ kind: "overloaded" });
  expect(authentik.state()).toMatchObject({ inFlight: 1, queued: 1 });
  abort.abort(new AuthentikError("timeout", "the time budget ended"));
  await expect(waiting).rejects.toMatchObject({ kind: "timeout" });
  gate.open();
  await running;
  expect(fake.requests.length).toBe(1);
});

test("a probe says what is wrong in words", async () => {
  fake = await startFakeAuthentik({ prefix: "/auth" });
  connect();
  expect(await authentik.probe({ timeoutMs: 1_000 })).toEqual({ ok: true, problem: "" });
  await authentik.close();
  connect({ url: new URL(fake.url.origin) });
  expect(await authentik.probe({ timeoutMs: 1_000 })).toEqual({
    ok: false,
    problem: `${fake.url.origin} has no API at /api/v3/: is a path prefix missing or wrong?`,
  });
});
