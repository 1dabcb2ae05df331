import { expect, onTestFinished, test } from "vitest";
import { createOverloadGuard } from "../../src/server/overload.ts";
import { createGate } from "../support/fake-authentik.ts";
import { rawClient } from "../support/raw-client.ts";
import { gatewayForTest } from "../support/gateway.ts";

test("operations in flight up to the bound are answered, the next one is told when to come back", async () => {
  const gate = createGate();
  const { authentik, gateway } = await gatewayForTest(
    { gateway: { maxOperationsInFlight: 3, corsOrigins: ["*"] } },
    gate,
  );
  const inFlight = [1, 2, 3].map((id) => gateway.post(`{plexConnection(id:${id}){user}}`));
  await authentik.arrived(3);
  const refused = await gateway.post("{__typename}", { headers: { origin: "https://app.example.org" } });
  // Pages are let read it, too.
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(refused.codes).toEqual(["OVERLOADED"]);
  gate.open();
  expect((await Promise.all(inFlight)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await gateway.post("{__typename}")).status).toBe(200);
});

test("bodies that trickle in hold no place, however many there are", async () => {
  const { gateway } = await gatewayForTest({ gateway: { maxOperationsInFlight: 3 } });
  const head =
    "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 24\r\n";
  const trickling = Array.from({ length: 10 }, () =>
    rawClient(Number(gateway.url.port), `${head}Expect: 100-continue\r\n\r\n`),
  );
  // Each has been told to send its body: the gateway waits for it.
  await Promise.all(trickling.map(({ waitFor }) => waitFor(/100 Continue/)));
  for (const { socket } of trickling) socket.write('{"query":');
  expect((await gateway.post("{plexConnection(id:5){pk}}")).status).toBe(200);
  for (const { socket } of trickling) socket.write('"{__typename}"}');
  for (const { waitFor } of trickling) await waitFor(/200 OK[^]*"__typename":"Query"/);
});

/** A guard whose turns of the event loop take as long as the test says, however busy the machine is. */
function guardWithClock() {
  let nowMs = 0;
  let turned: (() => void) | null = null;
  const guard = createOverloadGuard({
    maxOperationsInFlight: 3,
    maxLoopDelayMs: 60,
    windowMs: 100,
    now: () => {
      turned?.();
      return nowMs;
    },
  });
  onTestFinished(() => guard.close());
  return {
    isShedding: () => guard.refuse(0) !== null,
    /** One turn after the other, so long each. */
    turns: async (...eachMs: number[]) => {
      for (const ms of eachMs) {
        nowMs += ms;
        await new Promise<void>((resolve) => (turned = resolve));
      }
    },
  };
}

/** Turns as they should be, for a whole window. */
const FREE = [20, 20, 20, 20, 20];

test("a loop that stays blocked sheds, one that was blocked once does not, and it recovers", async () => {
  const { isShedding, turns } = guardWithClock();
  await turns(200, ...FREE);
  expect(isShedding(), "blocked once").toBe(false);
  await turns(200);
  expect(isShedding(), "blocked for one window").toBe(false);
  await turns(200);
  expect(isShedding(), "blocked for two windows").toBe(true);
  await turns(...FREE);
  expect(isShedding(), "free again").toBe(false);
});
