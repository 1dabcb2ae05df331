import { afterEach, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import type { Credentials } from "../../src/server/credentials.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway } from "../support/gateway.ts";
import { ask } from "../support/ask.ts";
import { postText, raw } from "../support/raw-client.ts";

/*
 * With OPEN_ACCESS the place in the network is the credential, and a visitor's browser brings it along to whatever page.
 */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const OPEN: Credentials = { mode: "service", authentikToken: () => "t", gatewayKey: null };

async function startOpen(host: string) {
  const loaded = loadConfig({
    env: { AUTHENTIK_URL: "http://x", AUTHENTIK_TOKEN: "t", OPEN_ACCESS: "true", HOST: host },
    argv: [],
    readFile: () => "",
  });
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  const { allowedHosts } = loaded.config.gateway;
  const authentik = await startFakeAuthentik();
  const gateway = await startGateway({
    authentikUrl: authentik.url,
    gateway: { credentials: OPEN, allowedHosts },
  });
  closing.push(
    () => gateway.close(),
    () => authentik.close(),
  );
  return { gateway, authentik };
}

test("a page whose name was pointed to this machine reads nothing", async () => {
  const { gateway, authentik } = await startOpen("127.0.0.1");
  const body = '{"query":"{plexConnection(id:5){pk user}}"}';
  const { status } = await raw(gateway.url, postText(body, ["Host: evil.example:4000"]));
  expect(status).toBe(421);
  expect(authentik.requests).toEqual([]);
  const here = await ask(gateway.url, "{plexConnection(id:5){pk}}", { authorization: null });
  expect(here.result.data).toEqual({ plexConnection: { pk: 5 } });
});

test("a page cannot make a browser ask by GET", async () => {
  const { gateway, authentik } = await startOpen("127.0.0.1");
  const url = new URL("/graphql?query={plexConnection(id:5){user}}", gateway.url);
  expect((await fetch(url)).status).toBe(400);
  expect(authentik.requests).toEqual([]);
  expect((await fetch(url, { headers: { "apollo-require-preflight": "true" } })).status).toBe(200);
});

test("elsewhere than on this machine its names are for the operator to tell", async () => {
  const { gateway } = await startOpen("0.0.0.0");
  const { status } = await raw(gateway.url, postText('{"query":"{__typename}"}', ["Host: gateway:4000"]));
  expect(status).toBe(200);
});
