import { expect, test } from "vitest";
import { createGate } from "../support/fake-authentik.ts";
import { gatewayForTest } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { postQuery, raw, rawClient } from "../support/raw-client.ts";

const FIVE = postQuery("{plexConnection(id:5){pk user}}");
const NOWHERE = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
const TOO_LONG =
  "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n";
const BROKEN = TOO_LONG.replace("Content-Length: 99999999", "Transfer-Encoding: chunked") + "5\r\n{\r\nz\r\n";

const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);

test("requests of one segment are answered in order, four at once, and others in between", async () => {
  const { authentik, gateway } = await gatewayForTest();
  const gate = createGate();
  authentik.answer(gate.answer);
  const names = Array.from({ length: 36 }, (_, index) => `a${index}`);
  const refused = FIVE.replace("application/json", "text/plain") + NOWHERE;
  const bytes = FIVE + refused + names.map((name) => postQuery(`{${name}:__typename}`)).join("");
  const client = rawClient(Number(gateway.url.port), bytes);
  await authentik.arrived(1);
  const statusesSoFar = () => gateway.records.map(({ status }) => status);
  await expect.poll(statusesSoFar, patience).toEqual([415, 404, 200]);
  expect((await gateway.post("{__typename}")).status).toBe(200);
  expect(statusesSoFar()).toEqual([415, 404, 200, 200]);
  expect(client.received()).toBe("");
  gate.open();
  const text = await client.waitFor(/"a35"/);
  expect(text.match(/"plexConnection"|application\/json in UTF-8|Nothing is served|"a\d+"/g)).toEqual([
    '"plexConnection"',
    "application/json in UTF-8",
    "Nothing is served",
    ...names.map((name) => `"${name}"`),
  ]);
  expect(statuses(text)).toEqual(["200", "415", "404", ...names.map(() => "200")]);
  client.socket.destroy();
});

test("nothing is executed that follows the last response of a connection", async () => {
  const { authentik, gateway } = await gatewayForTest();
  const refused = BROKEN.replace("/json", "/x-json").replace(/5\r\n.*$/s, "1\r\n{\r\n0\r\n\r\n");
  const bytes = FIVE + refused + FIVE.replace("id:5", "id:6");
  expect(statuses((await raw(gateway.url, bytes, { waitMs: 10_000 })).text)).toEqual(["200", "415"]);
  expect([gateway.records.length, authentik.paths().length]).toEqual([2, 1]);
});

test.each([
  ["a body that is too long", TOO_LONG, ["200", "413"]],
  ["what is no HTTP", "no HTTP\r\n\r\n", ["200", "400"]],
  ["a body that breaks, and had to wait,", FIVE.repeat(3) + BROKEN, ["200", "200", "200", "200", "400"]],
])(
  "%s behind an answered request is answered after it, and is the last on its connection",
  async (_name, bytes, expected) => {
    const { gateway } = await gatewayForTest();
    const answer = await raw(gateway.url, FIVE + bytes + NOWHERE, { waitMs: 10_000 });
    expect(statuses(answer.text)).toEqual(expected);
    expect(answer.closedByServer).toBe(true);
  },
);
