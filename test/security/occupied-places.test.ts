import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway } from "../support/gateway.ts";
import { ask } from "./support/ask.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

test("clients whose bodies trickle in do not take the places of those who ask", async () => {
  const authentik = await startFakeAuthentik();
  const gateway = await startGateway({ authentikUrl: authentik.url, gateway: { maxOperationsInFlight: 3 } });
  closing.push(
    () => gateway.close(),
    () => authentik.close(),
  );
  const head =
    'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"query":';
  const sockets: Socket[] = [];
  for (let count = 0; count < 20; count++) {
    const socket = connect(Number(gateway.url.port), gateway.url.hostname);
    sockets.push(socket);
    await new Promise((resolve) => socket.write(head, resolve));
  }
  closing.push(() => sockets.forEach((socket) => socket.destroy()));
  const answers = await Promise.all(
    [1, 2, 3].map((id) => ask(gateway.url, `{plexConnection(id:${id}){user}}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
});

test("operations beyond the bound are told when to come back, and places come free again", async () => {
  const authentik = await startFakeAuthentik({ answer: () => {} });
  const gateway = await startGateway({
    authentikUrl: authentik.url,
    gateway: { maxOperationsInFlight: 2, operationTimeoutMs: 300 },
  });
  closing.push(
    () => gateway.close(),
    () => authentik.close(),
  );
  const waiting = [1, 2].map((id) => ask(gateway.url, `{plexConnection(id:${id}){user}}`));
  await authentik.arrived(2);
  const refused = await ask(gateway.url, "{plexConnection(id:3){user}}");
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(refused.codes).toEqual(["OVERLOADED"]);
  await Promise.all(waiting);
  authentik.answer(null);
  expect((await ask(gateway.url, "{plexConnection(id:3){user}}")).codes).toEqual([]);
});
