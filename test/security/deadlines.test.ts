import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { gatewayForTest, type TestGateway, type TestGatewayOptions } from "../support/gateway.ts";
import { times } from "./adversarial-documents.ts";

/** A gateway before an authentik that never answers. */
const start = (authentik: TestGatewayOptions["authentik"] = {}, operationTimeoutMs = 60_000) =>
  gatewayForTest(
    { gateway: { operationTimeoutMs }, authentik: { list: false, ...authentik } },
    { answer: () => {} },
  );

const single = (id: number): string => `{plexConnection(id:${id}){user}}`;

/** As many callers at once, each with a key of its own. */
function askAll(gateway: TestGateway, count: number, signal: AbortSignal) {
  const callers = Array.from({ length: count }, (_, index) => index + 1);
  return Promise.allSettled(
    callers.map((id) => gateway.post(single(id), { authorization: `Bearer t${id}`, signal })),
  );
}

test("one budget covers all calls of an operation together, one after the other too", async () => {
  const { gateway, authentik } = await start({ concurrency: 1 }, 600);
  authentik.answer((_request, _response, fallback) => void setTimeout(fallback, 250));
  const { data, codes } = await gateway.post(
    `{${times(6, (i) => `a${i}:plexConnection(id:${i + 1}){user}`)}}`,
  );
  expect(codes.length).toBeGreaterThanOrEqual(4);
  expect(new Set(codes)).toEqual(new Set(["UPSTREAM_TIMEOUT"]));
  // What came in time is not thrown away.
  expect(data?.["a0"]).toEqual({ user: expect.any(Number) });
});

test("a queue that is full refuses at once, and nothing is sent", async () => {
  const { gateway, authentik } = await start({ concurrency: 2, queueMax: 10 });
  const leaving = new AbortController();
  const waiting = askAll(gateway, 12, leaving.signal);
  await authentik.arrived(2);
  // The rest has been taken in when an operation that needs no call is answered.
  await gateway.post("{__typename}");
  const late = { authorization: "Bearer late", signal: AbortSignal.timeout(5_000) };
  expect((await gateway.post(single(50), late)).codes).toEqual(["OVERLOADED"]);
  expect(authentik.requests).toHaveLength(2);
  leaving.abort();
  await waiting;
});

describe("a client that leaves", () => {
  test("takes its REST calls along", async () => {
    const { gateway, authentik } = await start({ concurrency: 100 });
    const leaving = new AbortController();
    const asked = askAll(gateway, 100, leaving.signal);
    await authentik.arrived(100);
    leaving.abort();
    await authentik.abandoned(100);
    await asked;
    await expect
      .poll(() => gateway.records.map(({ outcome }) => outcome))
      .toEqual(Array(100).fill("client-left"));
  });

  test("causes no new ones, neither those that waited nor those after an answer", async () => {
    const { gateway, authentik } = await start({ concurrency: 4 });
    const leaving = new AbortController();
    const query = `{${times(50, (i) => `a${i}:plexConnection(id:${i + 1}){user}`)}}`;
    const asked = gateway.post(query, { signal: leaving.signal }).catch(() => {});
    await authentik.arrived(4);
    leaving.abort();
    await asked;
    await authentik.abandoned(4);
    await sleep(200);
    expect(authentik.requests).toHaveLength(4);
  });
});
