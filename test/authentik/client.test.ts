import { afterEach, expect, onTestFinished, test } from "vitest";
import type { Authentik } from "../../src/authentik/client.ts";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { createGate, sendJson, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connect, operation, retrieve, ROUTE } from "./connect.ts";

let fake: FakeAuthentik;
let authentik: Authentik;
afterEach(async () => {
  await authentik.close();
  await fake.close();
});

test("a retrieve gives the parsed body and sends exactly the allowed headers", async () => {
  fake = await startFakeAuthentik({ prefix: "/auth" });
  authentik = connect(fake.url);
  const alice = operation(authentik);
  expect(await alice.get(retrieve(5))).toEqual(connectionBody(5));
  expect(fake.requests.map(({ method, path, headers }) => ({ method, path, headers }))).toEqual([
    {
      method: "GET",
      path: "/auth/api/v3/sources/user_connections/plex/5/",
      headers: [
        ["host", fake.url.host],
        ["connection", "keep-alive"],
        ["Accept", "application/json"],
        ["Accept-Encoding", "identity"],
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
  authentik = connect(fake.url);
  const [first, second, stranger] = [
    operation(authentik),
    operation(authentik),
    operation(authentik, { token: "token-of-bob" }),
  ];
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
  authentik = connect(fake.url);
  const leaders = new AbortController();
  const leader = operation(authentik, { signal: leaders.signal }).get(retrieve(5));
  const follower = operation(authentik).get(retrieve(5));
  const lonely = new AbortController();
  const left = operation(authentik, { signal: lonely.signal }).get(retrieve(6));
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

test("an operation with many calls in flight is no leak to warn of", async () => {
  fake = await startFakeAuthentik();
  authentik = connect(fake.url);
  const warnings: Error[] = [];
  const note = (warning: Error): unknown => warnings.push(warning);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  const alice = operation(authentik);
  await Promise.all(Array.from({ length: 30 }, (_, index) => alice.get(retrieve(index + 1))));
  expect(fake.requests).toHaveLength(30);
  expect(warnings).toEqual([]);
});

test("a 503 is asked once more, and the answer is the second one's", async () => {
  fake = await startFakeAuthentik();
  fake.answer((_request, response, fallback) => {
    if (fake.requests.length === 1) sendJson(response, 503, { error: "authentik starting" });
    else fallback();
  });
  authentik = connect(fake.url);
  const alice = operation(authentik);
  expect(await alice.get(retrieve(5))).toEqual(connectionBody(5));
  expect(fake.requests.length).toBe(2);
  expect(alice.usage).toMatchObject({ restCalls: 2, retries: 1 });
});

test("the allowance of calls is refused before anything is sent", async () => {
  fake = await startFakeAuthentik();
  authentik = connect(fake.url);
  const alice = operation(authentik, { maxRestCalls: 2 });
  const outcomes = await Promise.allSettled([1, 2, 3].map((pk) => alice.get(retrieve(pk))));
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(outcomes[2]).toMatchObject({ reason: { kind: "too-many-calls", route: ROUTE } });
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
  authentik = connect(fake.url, { concurrency: 1, queueMax: 1 });
  const running = operation(authentik).get(retrieve(1));
  await fake.arrived(1);
  const abort = new AbortController();
  const waiting = operation(authentik, { signal: abort.signal }).get(retrieve(2));
  await expect(operation(authentik).get(retrieve(3))).rejects.toMatchObject({ kind: "overloaded" });
  expect(authentik.state()).toMatchObject({ inFlight: 1, queued: 1 });
  abort.abort(new AuthentikError("timeout", "the time budget ended"));
  await expect(waiting).rejects.toMatchObject({ kind: "timeout" });
  gate.open();
  await running;
  expect(fake.requests.length).toBe(1);
});
