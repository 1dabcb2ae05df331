import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { AuthentikError } from "../../src/authentik/authentik-error.ts";
import { connectToFake, operation, retrieve } from "../authentik/connect.ts";
import { createGate, json } from "../support/fake-authentik.ts";
import { gatewayForTest, type TestGatewayOptions } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { times } from "./adversarial-documents.ts";

/** A gateway before an authentik that never answers. */
const start = (authentik: TestGatewayOptions["authentik"] = {}, operationTimeoutMs = 60_000) =>
  gatewayForTest(
    { gateway: { operationTimeoutMs }, authentik: { list: false, ...authentik } },
    { answer: () => {} },
  );

const single = (id: number): string => `{plexConnection(id:${id}){user}}`;
const aliases = (count: number): string =>
  `{${times(count, (i) => `a${i}:plexConnection(id:${i + 1}){user}`)}}`;

test("one budget covers all calls of an operation together, one after the other too", async () => {
  const { gateway, authentik } = await start({ concurrency: 1 }, 600);
  authentik.answer((_request, _response, fallback) => void setTimeout(fallback, 250));
  const { data, codes } = await gateway.post(aliases(6));
  expect(codes.length).toBeGreaterThanOrEqual(4);
  expect(new Set(codes)).toEqual(new Set(["UPSTREAM_TIMEOUT"]));
  // What came in time is not thrown away.
  expect(data?.["a0"]).toEqual({ user: 1_001 });
});

test("nobody sleeps before a retry for as long as authentik likes", async () => {
  const { gateway, authentik } = await start();
  authentik.answer((_request, response) => json(503, {}, { "Retry-After": "30" })(response));
  const { errors } = await gateway.post(single(5));
  expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryAfterSeconds: 30 } }]);
  expect(authentik.requests).toHaveLength(2);
});

test("a queue that is full refuses at once, and nothing is sent", async () => {
  const { gateway, authentik } = await start({ concurrency: 2, queueMax: 10 });
  const leaving = new AbortController();
  const waiting = gateway.post(aliases(12), { signal: leaving.signal }).catch(() => {});
  await authentik.arrived(2);
  // The rest has been taken in when an operation that needs no call is answered.
  await gateway.post("{__typename}");
  expect((await gateway.post(single(50))).codes).toEqual(["OVERLOADED"]);
  expect(authentik.requests).toHaveLength(2);
  leaving.abort();
  await waiting;
});

describe("a client that leaves", () => {
  test("takes its REST calls along, and causes no new ones", async () => {
    const { gateway, authentik } = await start({ concurrency: 4 });
    const leaving = new AbortController();
    const asked = gateway.post(aliases(50), { signal: leaving.signal }).catch(() => {});
    await authentik.arrived(4);
    leaving.abort();
    await asked;
    await authentik.abandoned(4);
    await expect.poll(() => gateway.records[0]?.outcome, patience).toBe("client-left");
    await sleep(200);
    expect(authentik.requests).toHaveLength(4);
  });

  test("while its connection is being made sends nothing, and nothing afterwards", async () => {
    const { fake, authentik } = await connectToFake();
    const client = operation(authentik);
    const reason = new AuthentikError("cancelled", "the client left");
    const asked = client.get(retrieve(5));
    client.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(client.get(retrieve(6))).rejects.toBe(reason);
    await operation(authentik).get(retrieve(7));
    expect(fake.paths()).toEqual([`/api/v3${retrieve(7).path}`]);
  });

  test("harms nobody who shares its operation", async () => {
    const gate = createGate();
    const { gateway, authentik } = await gatewayForTest({}, gate);
    const leaving = new AbortController();
    const leader = gateway.post(single(5), { signal: leaving.signal }).catch(() => "left");
    await authentik.arrived(1);
    const other = gateway.post(single(5));
    await expect.poll(() => gateway.inFlight(), patience).toBe(2);
    leaving.abort();
    expect(await leader).toBe("left");
    await expect.poll(() => gateway.records[0]?.outcome, patience).toBe("client-left");
    gate.open();
    expect((await other).data).toEqual({ plexConnection: { user: 1_005 } });
    expect(authentik.requests).toHaveLength(1);
  });
});
