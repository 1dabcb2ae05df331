import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createAuthentik } from "../../src/authentik/client.ts";
import type { Authentik, AuthentikClient } from "../../src/authentik/client.ts";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import { createGateway } from "../../src/server/gateway.ts";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import {
  startGateway,
  TEST_AUTHENTIK_OPTIONS,
  TEST_GATEWAY_OPTIONS,
  type TestGatewayOptions,
} from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";
import { echoCallers, runIsolation } from "./isolation.ts";

/*
 * authentik puts each caller's token into every answer. Whatever is batched, coalesced, cached, aborted or failing at
 * the same time: nobody ever reads another's token.
 */

const SEED = 20_241_124;
let authentik: FakeAuthentik;

beforeAll(async () => {
  authentik = await startFakeAuthentik();
});
beforeEach(() => echoCallers(authentik, createRandom(SEED)));
afterAll(() => authentik.close());

const SET_UPS: [name: string, options: Omit<TestGatewayOptions, "authentikUrl">][] = [
  ["coalescing and lists, as by default", {}],
  [
    "neither coalescing nor lists",
    { gateway: { coalesce: false }, authentik: { coalesce: false, list: false } },
  ],
  ["the cache for each caller", { authentik: { cacheTtlMs: 1_000 } }],
];

test.each(SET_UPS)(
  "3,400 responses to 500 callers hold no foreign value, with %s",
  async (_name, options) => {
    const gateway = await startGateway({ authentikUrl: authentik.url, ...options });
    const report = await runIsolation(gateway.url, {
      responses: 3_400,
      concurrency: 100,
      random: createRandom(SEED + 1),
    });
    await gateway.close();
    expect(report.foreign).toBe(0);
    // The run must have been the storm that it is meant to be.
    expect(report.answered).toBeGreaterThan(3_000);
    expect(report.failed).toBeGreaterThan(30);
    expect(report.aborted).toBeGreaterThan(20);
  },
  60_000,
);

test("the same run finds foreign values as soon as one loader serves everybody", async () => {
  const gateway = await startBroken((real) => {
    let only: AuthentikClient | undefined;
    // Loaders live as long as the client that they were made for.
    return { ...real, forCaller: (caller) => (only ??= real.forCaller(caller)) };
  });
  const report = await runIsolation(gateway.url, {
    responses: 400,
    concurrency: 50,
    random: createRandom(SEED + 1),
  });
  await gateway.close();
  expect(report.foreign).toBeGreaterThan(100);
}, 60_000);

test("the same run finds foreign values as soon as calls are shared without regard to the caller", async () => {
  const gateway = await startBroken((real) => {
    const shared = new Map<string, Promise<unknown>>();
    return {
      ...real,
      forCaller(caller) {
        const client = real.forCaller(caller);
        return {
          ...client,
          get(request) {
            const flying = shared.get(request.path) ?? client.get(request);
            shared.set(request.path, flying);
            const land = () => shared.delete(request.path);
            flying.then(land, land);
            return flying;
          },
        };
      },
    };
  });
  const report = await runIsolation(gateway.url, {
    responses: 400,
    concurrency: 50,
    random: createRandom(SEED + 1),
  });
  await gateway.close();
  expect(report.foreign).toBeGreaterThan(10);
}, 60_000);

/** A gateway with a mistake in it. */
async function startBroken(spoil: (real: Authentik) => Authentik) {
  const real = createAuthentik({ ...TEST_AUTHENTIK_OPTIONS, url: authentik.url });
  const gateway = createGateway(
    { ...TEST_GATEWAY_OPTIONS, coalesce: false },
    {
      schema: createSchema({ federationLinkUrl: FEDERATION_LINK_URL }),
      authentik: spoil(real),
      tracing: null,
      onRequest: () => {},
      routes: new Map(),
    },
  );
  const server = createServer(gateway.listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await gateway.close();
      await real.close();
    },
  };
}
