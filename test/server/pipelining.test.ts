import { expect, test } from "vitest";
import { createGate } from "../support/fake-authentik.ts";
import { gatewayForTest, TOKEN } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { raw, rawClient } from "../support/raw-client.ts";

function post(query: string, { type = "application/json" } = {}): string {
  const body = JSON.stringify({ query });
  const head = `POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nAuthorization: ${TOKEN}\r\n`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const FIVE = "{plexConnection(id:5){pk user}}";
const NOWHERE = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
const TOO_LONG =
  "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n";

function statuses(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = ""]) => status);
}

test("requests of one segment are answered in order, though the refused ones are done first", async () => {
  const { authentik, gateway } = await gatewayForTest();
  const gate = createGate();
  authentik.answer(gate.answer);
  const bytes = post(FIVE) + post(FIVE, { type: "text/plain" }) + NOWHERE + post("{__typename}");
  const client = rawClient(Number(gateway.url.port), bytes);
  await authentik.arrived(1);
  await expect.poll(() => gateway.records.map(({ status }) => status), patience).toEqual([415, 404, 200]);
  expect(client.received()).toBe("");
  gate.open();
  const text = await client.waitFor(/__typename/);
  expect(statuses(text)).toEqual(["200", "415", "404", "200"]);
  expect(text.match(/\{"(?:data|errors)".*\}/g)?.map((body) => body.slice(0, 20))).toEqual([
    '{"data":{"plexConnec',
    '{"errors":[{"message',
    '{"errors":[{"message',
    '{"data":{"__typename',
  ]);
  client.socket.destroy();
});

test("an expectation that nobody can meet is refused in JSON, in its turn, and logged", async () => {
  const { gateway } = await gatewayForTest();
  const expecting = post(FIVE).replace("Host", "Expect: 200-maybe\r\nHost");
  const bytes = post(FIVE) + expecting + NOWHERE;
  const client = rawClient(Number(gateway.url.port), bytes);
  const text = await client.waitFor(/Nothing is served here/);
  expect(statuses(text)).toEqual(["200", "417", "404"]);
  expect(text).toContain('{"errors":[{"message":"Expect nothing but 100-continue."');
  // The one that asks authentik for nothing is over first.
  expect(new Set(gateway.records.map(({ status }) => status))).toEqual(new Set([200, 417, 404]));
  expect(gateway.records).toHaveLength(3);
  client.socket.destroy();
});

test.each([
  ["a body that is too long", TOO_LONG, ["200", "413"]],
  ["what is no HTTP", "no HTTP\r\n\r\n", ["200", "400"]],
  [
    "a line that two parsers read differently",
    NOWHERE.replace("Host", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\nHost"),
    ["200", "400"],
  ],
])(
  "%s behind an answered request is answered second, and is the last on its connection",
  async (_name, bytes, expected) => {
    const { gateway } = await gatewayForTest();
    const answer = await raw(gateway.url, post(FIVE) + bytes + NOWHERE, { waitMs: 10_000 });
    expect(statuses(answer.text)).toEqual(expected);
    expect(answer.closedByServer).toBe(true);
  },
);

test("who asks the same by GET joins whoever did", async () => {
  const { authentik, gateway } = await gatewayForTest();
  const search = String(new URLSearchParams({ query: FIVE }));
  const get = `GET /graphql?${search} HTTP/1.1\r\nHost: a\r\nAuthorization: ${TOKEN}\r\n\r\n`;
  const client = rawClient(Number(gateway.url.port), get.repeat(2));
  const received = await client.waitFor(/"user".*"user"/s);
  client.socket.destroy();
  expect(received.match(/^\{"data".*?\}\}\}/gms)).toHaveLength(2);
  expect(gateway.records.map(({ shared }) => shared)).toEqual([false, true]);
  expect(authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
});
