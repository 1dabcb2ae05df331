import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Authentik, AuthentikClient } from "../../src/authentik/client.ts";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGatewayOptions } from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";
import { echoCallers, type IsolationReport, runIsolation, SET_UPS } from "./isolation.ts";

/*
 * authentik puts each caller's token into every answer. Whatever is batched, coalesced, cached, aborted or failing at
 * the same time: nobody ever reads another's token.
 */

const SEED = 20_241_124;
let authentik: FakeAuthentik;

vi.setConfig({ testTimeout: 60_000 });
beforeAll(async () => {
  authentik = await startFakeAuthentik();
});
beforeEach(() => echoCallers(authentik, createRandom(SEED)));
afterAll(() => authentik.close());

async function run(
  options: Omit<TestGatewayOptions, "authentikUrl">,
  size: { responses: number; concurrency: number },
): Promise<IsolationReport> {
  const gateway = await startGateway({ authentikUrl: authentik.url, ...options });
  const report = await runIsolation(gateway.url, { ...size, random: createRandom(SEED + 1) });
  await gateway.close();
  return report;
}

test.each(SET_UPS)(
  "3,400 responses to 500 callers hold no foreign value, with %s",
  async (_name, options) => {
    const report = await run(options, { responses: 3_400, concurrency: 100 });
    expect(report.foreign).toBe(0);
    // The run must have been the storm that it is meant to be.
    expect(report.answered).toBeGreaterThan(3_000);
    expect(report.values).toBeGreaterThan(15_000);
    expect(report.failed).toBeGreaterThan(30);
    expect(report.aborted).toBeGreaterThan(20);
  },
);

/** Loaders live as long as the client that they were made for, which nobody's leaving ends here. */
function oneLoader(real: Authentik): Authentik {
  let only: AuthentikClient | undefined;
  return { ...real, forCaller: (caller) => (only ??= { ...real.forCaller(caller), abort() {} }) };
}

function callsSharedByPath(real: Authentik): Authentik {
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
}

test.each([
  ["one loader serves everybody", oneLoader],
  ["calls are shared without regard to the caller", callsSharedByPath],
])("the same run finds foreign values as soon as %s", async (_mistake, spoil) => {
  const report = await run({ spoil, gateway: { coalesce: false } }, { responses: 400, concurrency: 50 });
  expect(report.foreign).toBeGreaterThan(500);
});
