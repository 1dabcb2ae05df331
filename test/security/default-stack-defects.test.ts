import { setTimeout as sleep } from "node:timers/promises";
import { Agent, interceptors, request } from "undici";
import { beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { ask } from "../support/ask.ts";
import { createGate, sendJson } from "../support/fake-authentik.ts";
import { gatewayForTest, useGateway } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { representations, times } from "./adversarial-documents.ts";
import { startPlainYoga, usePlainYoga } from "./support/child.ts";

/*
 * What graphql-yoga, @apollo/subgraph and undici do when nothing is configured, one defect after the other: shown to
 * work against the plain set-up, and shown not to work here. Those of one request each are in scanner-checks.test.ts;
 * the other half of D5 is process/shutdown.test.ts.
 */

const at = useGateway(beforeAll);
const plain = usePlainYoga(() => at.authentik.url);
beforeEach(() => {
  at.authentik.requests.length = 0;
  at.authentik.answer(null);
});

const FIVE = "{plexConnection(id:5){pk user}}";
/** undici's own path to authentik. */
const path = () => new URL("/api/v3/sources/user_connections/plex/5/", at.authentik.url);

/** A plain process that may end. */
async function startVictim(nodeFlags?: readonly string[]) {
  const victim = await startPlainYoga(at.authentik.url, nodeFlags);
  onTestFinished(victim.stop);
  return victim;
}

/** Whether it is still going on after a time that is long for it. */
const isWaiting = (work: Promise<unknown>, ms: number): Promise<boolean> =>
  Promise.race([Promise.allSettled([work]).then(() => false), sleep(ms, true)]);

test("D1: one bad representation beside a failing one ends the plain process, and costs only itself here", async () => {
  at.authentik.answer((_request, response) => sendJson(response, 403, { detail: "no" }));
  const query = `{_entities(representations:[{__typename:"PlexSourceConnection",pk:7},{__typename:"Nope"}]){__typename ...on PlexSourceConnection{user}}}`;
  const victim = await startVictim();
  await ask(victim.url, query).catch(() => {});
  expect(await victim.exited).toBe(1);
  const { status, data, codes } = await at.gateway.post(query);
  expect([status, data]).toEqual([200, { _entities: [null, null] }]);
  expect(codes.sort()).toEqual(["BAD_USER_INPUT", "FORBIDDEN"]);
});

const document = (index: number) => `query Q${index}{${times(9_000, (k) => `a${index}_${k}:x `)}}`;

test("D2: distinct large documents end the plain process by what its caches keep, and are refused here", async () => {
  const victim = await startVictim(["--max-old-space-size=64"]);
  for (let index = 0; index < 100; index++) await ask(victim.url, document(index)).catch(() => {});
  expect(await victim.exited).toMatch(/SIGABRT|134/);
  for (let index = 0; index < 20; index++)
    expect((await at.gateway.post(document(index))).codes).toEqual(["LIMIT_EXCEEDED"]);
  expect(at.authentik.requests).toEqual([]);
});

const aliases = (count: number) => `{${times(count, (i) => `a${i}:plexConnection(id:${i + 1}){pk user}`)}}`;
const entities = (name: string) => `${name}:_entities(representations:$r){...on PlexSourceConnection{user}}`;
const variables = (count: number) => ({ r: representations(count) });

test("D3: aliases and representations multiply REST calls of the plain set-up, and have limits here", async () => {
  const one = `query($r:[_Any!]!){${entities("e")}}`;
  const eleven = `query($r:[_Any!]!){${times(11, (i) => entities(`e${i}`))}}`;
  await ask(plain.url, aliases(1_000));
  await ask(plain.url, one, { variables: variables(100) });
  expect(at.authentik.requests).toHaveLength(1_100);

  at.authentik.requests.length = 0;
  expect((await at.gateway.post(aliases(1_001))).codes).toEqual(["LIMIT_EXCEEDED"]);
  expect((await at.gateway.post(one, { variables: variables(1_001) })).codes).toEqual(["LIMIT_EXCEEDED"]);
  expect(at.authentik.requests).toEqual([]);
  expect((await at.gateway.post(eleven, { variables: variables(100) })).errors).toMatchObject([
    { extensions: { code: "LIMIT_EXCEEDED", limit: "representations", max: 1_000, actual: 1_100 } },
  ]);
});

test("D4: an authentik that never answers keeps the plain set-up waiting; here the budget ends it", async () => {
  at.authentik.answer(() => {});
  const leaving = new AbortController();
  const asked = ask(plain.url, FIVE, { signal: leaving.signal });
  const { gateway } = await gatewayForTest({ gateway: { operationTimeoutMs: 300 } }, { answer: () => {} });
  expect((await gateway.post(FIVE)).codes).toEqual(["UPSTREAM_TIMEOUT"]);
  expect(await isWaiting(asked, 300)).toBe(true);
  leaving.abort();
});

test("D5: SIGTERM loses what the plain process has in flight", async () => {
  const gate = createGate();
  at.authentik.answer(gate.answer);
  const victim = await startVictim();
  const asked = Promise.allSettled([1, 2, 3].map((id) => ask(victim.url, `{plexConnection(id:${id}){pk}}`)));
  await at.authentik.arrived(3);
  victim.child.kill("SIGTERM");
  await victim.exited;
  gate.open();
  expect((await asked).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
});

test("D10: the deadline of a call that waits for a connection is ignored by undici's request, and holds here for 100 on ten connections", async () => {
  const gate = createGate();
  at.authentik.answer(gate.answer);
  const dispatcher = new Agent({ connections: 1 });
  const first = request(path(), { dispatcher });
  const second = request(path(), { dispatcher, signal: AbortSignal.timeout(50) });
  expect(await isWaiting(second, 400)).toBe(true);
  gate.open();
  await Promise.allSettled([first, second]);
  await dispatcher.destroy();

  const { gateway } = await gatewayForTest(
    { gateway: { operationTimeoutMs: 600 }, authentik: { concurrency: 10, list: false } },
    { answer: () => {} },
  );
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => gateway.post(FIVE, { authorization: `Bearer t${index}` })),
  );
  const codes = answers.flatMap((answer) => answer.codes);
  expect(codes).toHaveLength(100);
  // Ten timeouts open the breaker, which the last ones may still meet.
  expect(codes.filter((code) => code === "UPSTREAM_TIMEOUT").length).toBeGreaterThanOrEqual(10);
  expect(codes.every((code) => code === "UPSTREAM_TIMEOUT" || code === "UPSTREAM_UNAVAILABLE")).toBe(true);
});

test("D11: the deadline during the back-off of a retry is ignored by undici's interceptor, and holds here", async () => {
  let hasAnswered = false;
  at.authentik.answer((received, response) => {
    if (received.path.endsWith("?plain")) response.once("finish", () => (hasAnswered = true));
    sendJson(response, 503, {}, { "Retry-After": "30" });
  });
  const agent = new Agent();
  const dispatcher = agent.compose(interceptors.retry({ maxRetries: 1 }));
  const leaving = new AbortController();
  const asked = request(new URL("?plain", path()), { dispatcher, signal: leaving.signal });
  await expect.poll(() => hasAnswered, patience).toBe(true);
  // What was written is read in the next turn of this very event loop: from then on the interceptor waits.
  await sleep(50);
  leaving.abort();
  expect(await isWaiting(asked, 300)).toBe(true);
  await agent.destroy();

  at.authentik.requests.length = 0;
  const { errors, codes } = await at.gateway.post(FIVE);
  // Nobody sleeps for as long as authentik likes: the budget would have ended in UPSTREAM_TIMEOUT.
  expect(codes).toEqual(["UPSTREAM_UNAVAILABLE"]);
  expect(errors?.[0]?.extensions).toMatchObject({ retryAfterSeconds: 30 });
  expect(at.authentik.requests).toHaveLength(2);
});

test("D12: the first of several that share a call and leaves fails the others in undici's interceptor, and harms nobody here", async () => {
  let gate = createGate();
  at.authentik.answer((...given) => gate.answer(...given));
  const dispatcher = new Agent().compose(interceptors.deduplicate());
  let leaving = new AbortController();
  const callers = [{ signal: leaving.signal }, {}];
  const outcomes = Promise.allSettled(callers.map((options) => request(path(), { dispatcher, ...options })));
  await at.authentik.arrived(1);
  leaving.abort();
  gate.open();
  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);

  gate = createGate();
  at.authentik.requests.length = 0;
  leaving = new AbortController();
  const leader = at.gateway.post(FIVE, { signal: leaving.signal }).catch(() => "left");
  await at.authentik.arrived(1);
  const queries = [FIVE, "{again:plexConnection(id:5){user identifier}}"];
  const followers = queries.map((query) => at.gateway.post(query));
  await expect.poll(() => at.gateway.inFlight(), patience).toBe(3);
  leaving.abort();
  expect(await leader).toBe("left");
  await expect.poll(() => at.gateway.records.at(-1)?.outcome).toBe("client-left");
  gate.open();
  expect((await Promise.all(followers)).map(({ codes }) => codes)).toEqual([[], []]);
  expect(at.authentik.requests).toHaveLength(1);
});
