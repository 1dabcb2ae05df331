import { Pool } from "undici";
import { expect, test, vi } from "vitest";
import type { Authentik, AuthentikClient } from "../../src/authentik/client.ts";
import { type AnswerHandler, sendJson } from "../support/fake-authentik.ts";
import { gatewayForTest, type TestGatewayOptions } from "../support/gateway.ts";
import { createRandom, type Random } from "../support/random.ts";
import { connectionBody, listBody } from "../support/wire-bodies.ts";
import { representations, times } from "./adversarial-documents.ts";

// authentik puts each caller's token into every answer. Whatever is batched, coalesced, cached, aborted or failing at
// the same time: nobody ever reads another's token.

/** `npm run test:long` asks more often, and differently each time. */
const isLong = process.env["TEST_LONG"] !== undefined;
const RESPONSES = isLong ? 11_500 : 3_400;
const SEED = isLong ? Date.now() % 2 ** 31 : 20_241_124;
vi.setConfig({ testTimeout: isLong ? 1_200_000 : 60_000 });

type Options = Omit<TestGatewayOptions, "authentikUrl">;

test.each<[name: string, Options]>([
  ["coalescing and lists, as by default", {}],
  ["the cache for each caller", { authentik: { cacheTtlMs: 1_000 } }],
])(`${RESPONSES} responses to 500 callers hold no foreign value, with %s`, async (name, options) => {
  const report = await runIsolation(RESPONSES, options);
  console.log(`isolation with ${name}, seed ${SEED}: ${JSON.stringify(report)}`);
  expect(report.foreign).toBe(0);
  // The run must have been the storm that it is meant to be.
  expect(report.answered).toBeGreaterThan(0.88 * RESPONSES);
  expect(report.values).toBeGreaterThan(15_000);
  expect(report.failed).toBeGreaterThan(30);
  expect(report.aborted).toBeGreaterThan(20);
});

/** Loaders live as long as the client that they were made for, which nobody's leaving ends here. */
function oneLoader(real: Authentik): Authentik {
  let only: AuthentikClient | undefined;
  return { ...real, forCaller: (caller) => (only ??= { ...real.forCaller(caller), abort() {} }) };
}

/** Whatever is shared under a caller's key then is shared by all. */
function oneKey(real: Authentik): Authentik {
  return { ...real, identify: (authorization) => ({ authorization, key: "everybody" }) };
}

test.each([
  ["one loader serves everybody", oneLoader],
  ["calls are shared without regard to the caller", oneKey],
])("the same run finds foreign values as soon as %s", async (_mistake, spoil) => {
  const report = await runIsolation(400, { spoil, gateway: { coalesce: false } });
  expect(report.foreign).toBeGreaterThan(500);
});

const CALLERS = 500;
const AT_ONCE = 100;
const PKS = Array.from({ length: 20 }, (_, index) => index + 1);
/** Written once: most of what this costs would be writing it again. */
const LIST = JSON.stringify(listBody(PKS.map((pk) => connectionBody(pk, { identifier: "TOKEN" }))));

/** An authentik that puts each caller's token into everything it answers, late by chance, and wrongly now and then. */
function echoCallers(random: Random): AnswerHandler {
  return ({ authorization = "", path }, response) => {
    const identifier = authorization.replace("Bearer ", "");
    const answer = (): void => {
      if (response.destroyed) return;
      // What tempts caches to give it to somebody else.
      response.setHeader("Cache-Control", "public, max-age=60, s-maxage=60");
      response.setHeader("ETag", '"1"');
      const chance = random.next();
      const pk = Number(/(\d+)\/$/.exec(path)?.[1]);
      if (chance < 0.025) response.destroy();
      else if (chance < 0.075) sendJson(response, 500, { detail: identifier });
      else if (pk) sendJson(response, 200, connectionBody(pk, { identifier }));
      else response.setHeader("Content-Type", "application/json").end(LIST.replaceAll("TOKEN", identifier));
    };
    setTimeout(answer, random.next() * 6);
  };
}

/** Asks as 500 callers, 100 at once, and counts every identifier that is not the caller's own. */
async function runIsolation(responses: number, options: Options) {
  const { gateway } = await gatewayForTest(options, { answer: echoCallers(createRandom(SEED)) });
  const random = createRandom(SEED + 1);
  /** `foreign` belong to another caller, of all `values` that were compared. */
  const report = { answered: 0, values: 0, foreign: 0, failed: 0, aborted: 0 };
  // Half the work of fetch.
  const pool = new Pool(gateway.url.origin, { connections: AT_ONCE });
  let started = 0;
  const client = async (): Promise<void> => {
    while (started < responses) {
      started++;
      const token = `caller-${random.below(CALLERS)}-end`;
      const [query, variables] = random.pick(WAYS)(() => random.pick(PKS));
      try {
        const { body } = await pool.request({
          method: "POST",
          path: "/graphql",
          headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          body: JSON.stringify({ query, variables }),
          ...(random.chance(0.05) && { signal: AbortSignal.timeout(1 + random.below(15)) }),
        });
        const text = await body.text();
        report.answered++;
        if (text.includes('"errors":')) report.failed++;
        const values = text.match(/caller-\d+-end/g) ?? [];
        report.values += values.length;
        report.foreign += values.filter((value) => value !== token).length;
      } catch {
        report.aborted++;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  await pool.close();
  return report;
}

const TWELVE = `query(${times(12, (i) => `$i${i}:ID!`)}){${times(12, (i) => `c${i}:plexConnection(id:$i${i}){identifier}`)}}`;
const ENTITIES = "query($r:[_Any!]!){_entities(representations:$r){...on PlexSourceConnection{identifier}}}";

/** Ways to ask: a single key, the same again, several in one operation, and representations. */
const WAYS: readonly ((pk: () => number) => [query: string, variables: Record<string, unknown>])[] = [
  (pk) => ["query($id:ID!){plexConnection(id:$id){pk identifier}}", { id: pk() }],
  () => ["{plexConnection(id:7){identifier user}}", {}],
  (pk) => [TWELVE, Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`i${i}`, pk()]))],
  (pk) => [ENTITIES, { r: representations(8).map((one) => ({ ...one, pk: pk() })) }],
];
