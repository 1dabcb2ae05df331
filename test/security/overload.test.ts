import { expect, onTestFinished, test, vi } from "vitest";
import { createOverloadGuard } from "../../src/server/overload.ts";
import { createGate } from "../support/fake-authentik.ts";
import { postText, rawClient } from "../support/raw-client.ts";
import { gatewayForTest } from "../support/gateway.ts";

test("operations in flight up to the bound are answered, the next one is told when to come back", async () => {
  const gate = createGate();
  const { authentik, gateway } = await gatewayForTest({ gateway: { maxOperationsInFlight: 3 } }, gate);
  const inFlight = [1, 2, 3].map((id) => gateway.post(`{plexConnection(id:${id}){user}}`));
  await authentik.arrived(3);
  const refused = await gateway.post("{__typename}");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(refused.codes).toEqual(["OVERLOADED"]);
  gate.open();
  expect((await Promise.all(inFlight)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await gateway.post("{__typename}")).status).toBe(200);
});

test("bodies that trickle in hold no place, however many there are", async () => {
  const { gateway } = await gatewayForTest({ gateway: { maxOperationsInFlight: 3 } });
  const [head, body] = postText('{"query":"{__typename}"}', ["Expect: 100-continue"]).split(/(?<=\r\n\r\n)/);
  const trickling = Array.from({ length: 10 }, () => rawClient(Number(gateway.url.port), head));
  // Each has been told to send its body: the gateway waits for it.
  await Promise.all(trickling.map(({ waitFor }) => waitFor(/100 Continue/)));
  for (const { socket } of trickling) socket.write(body?.slice(0, 9) ?? "");
  expect((await gateway.post("{plexConnection(id:5){pk}}")).status).toBe(200);
  for (const { socket } of trickling) socket.write(body?.slice(9) ?? "");
  for (const { waitFor } of trickling) await waitFor(/200 OK[^]*"__typename":"Query"/);
});

test("a loop that stays blocked sheds, one that was blocked once does not, and it recovers", () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  let nowMs = 0;
  const limits = { maxOperationsInFlight: 3, maxLoopDelayMs: 60, windowMs: 100 };
  const guard = createOverloadGuard({ ...limits, now: () => nowMs });
  onTestFinished(() => {
    guard.close();
    vi.useRealTimers();
  });
  /** One turn of the event loop after the other, so long each; then whether operations are shed. */
  const shedsAfter = (...turnsMs: number[]): boolean => {
    for (const ms of turnsMs) {
      nowMs += ms;
      vi.advanceTimersToNextTimer();
    }
    return guard.refuse(0) !== null;
  };
  const free = [20, 20, 20, 20, 20];
  expect(shedsAfter(200, ...free), "blocked once").toBe(false);
  expect(shedsAfter(200), "blocked for one window").toBe(false);
  expect(shedsAfter(200), "blocked for two windows").toBe(true);
  expect(shedsAfter(...free), "free again").toBe(false);
});
