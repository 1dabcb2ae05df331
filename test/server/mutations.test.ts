import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { askBody, read } from "../support/ask.ts";
import { createGate, sendJson } from "../support/fake-authentik.ts";
import { startBefore } from "../support/gateway.ts";
import { type SandboxGateway, startSandboxGateway } from "../support/sandbox-gateway.ts";
import { persisted } from "../support/persisted.ts";
import { testSchema } from "../support/schema.ts";
import { connectionBody } from "../support/wire-bodies.ts";

const DELETE = "mutation($id:ID!){plexConnectionDelete(input:{id:$id}){deletedId userErrors{code}}}";
const DELETE_SEVEN = DELETE.replace("($id:ID!)", " Seven").replace("$id", "7");
const ALICE = "Bearer token-of-alice";

let at: SandboxGateway;
beforeEach(async () => {
  at = await startSandboxGateway("2025.4", { mutations: true });
});
afterEach(() => at.close());

const deleteSeven = () => at.gateway.post(DELETE, { authorization: ALICE, variables: { id: 7 } });

async function get(params: Record<string, string>) {
  const url = new URL(`/graphql?${String(new URLSearchParams(params))}`, at.gateway.url);
  return read(await fetch(url, { headers: { authorization: ALICE } }));
}

test("a mutation by GET is 405 and never executed", async () => {
  const query = `query Typename{__typename} ${DELETE_SEVEN}`;
  const extensions = JSON.stringify(persisted(DELETE_SEVEN).extensions);
  for (const params of [
    { query: DELETE_SEVEN },
    { query, operationName: "Seven" },
    { query: DELETE_SEVEN, extensions },
  ]) {
    const { status, headers, result } = await get(params);
    expect([status, headers.get("allow"), result.data]).toEqual([405, "POST", undefined]);
  }
  // The query beside it in the document is answered.
  expect((await get({ query, operationName: "Typename" })).result).toEqual({ data: { __typename: "Query" } });
  expect(at.authentik.requests).toEqual([]);
  expect([...at.directory.connections.keys()]).toEqual([5, 6, 7]);
});

test("equal mutations in flight are each executed, sent once, and never answered together", async () => {
  const gate = createGate();
  at.authentik.answer(gate.answer);
  const deleting = [1, 2, 3].map(deleteSeven);
  await at.authentik.arrived(3);
  gate.open();
  const replies = await Promise.all(deleting);
  const sent = at.authentik.requests.map(({ method, path }) => `${method} ${path}`);
  expect(sent).toEqual([1, 2, 3].map(() => "DELETE /api/v3/sources/user_connections/plex/7/"));
  const outcomes = replies.map(({ text }) => /"deletedId":"7"|NOT_FOUND/.exec(text)?.[0] ?? "");
  expect(outcomes.sort()).toEqual(['"deletedId":"7"', "NOT_FOUND", "NOT_FOUND"]);
  expect(at.gateway.records.map(({ shared }) => shared)).toEqual([false, false, false]);
});

test("what the same caller asked before a mutation and is still in flight is not reused after it", async () => {
  const gate = createGate();
  at.authentik.answer(async ({ method }, response, fallback) => {
    const isThere = at.directory.connections.has(7);
    if (method !== "GET") return fallback();
    // Made now, and sent late.
    await gate.opened;
    sendJson(response, isThere ? 200 : 404, isThere ? connectionBody(7) : { detail: "Not found." });
  });
  const ask = () => at.gateway.post("{plexConnection(id:7){pk}}", { authorization: ALICE });
  const before = ask();
  await at.authentik.arrived(1);
  expect((await deleteSeven()).data).toMatchObject({ plexConnectionDelete: { deletedId: "7" } });
  const after = ask();
  await at.authentik.arrived(3);
  gate.open();
  expect((await before).data).toEqual({ plexConnection: { pk: 7 } });
  expect((await after).data).toEqual({ plexConnection: null });
  expect(at.authentik.requests.map(({ method }) => method)).toEqual(["GET", "DELETE", "GET"]);
  expect(at.gateway.records.map(({ shared }) => shared)).toEqual([false, false, false]);
});

test("a record has the name and type of one operation of a batch, and no caller with the gateway's own token", async () => {
  const credentials = { mode: "service", authentikToken: () => "t", gatewayKey: null } as const;
  const schema = testSchema({ mutations: true });
  const { gateway, close } = await startBefore({}, { gateway: { batchLimit: 2, credentials }, schema });
  onTestFinished(close);
  const batch = ["query Five{plexConnection(id:5){pk}}", DELETE_SEVEN.replace(" Seven", "")];
  await askBody(gateway.url, JSON.stringify(batch.map((query) => ({ query }))));
  expect(gateway.records).toHaveLength(1);
  expect(gateway.records[0]?.operation).toEqual({ type: "mutation" });
  expect(gateway.records[0]).not.toHaveProperty("callerKey");
});
