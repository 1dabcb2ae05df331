import diagnostics from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";

const at = useGateway(beforeAll);

// What instrumentation from outside builds on: OpenTelemetry's for node:http and undici, and agents of other makers.
test("one operation is seen on the diagnostics channels of node:http and of undici, once each", async () => {
  const { authentik, gateway } = at;
  const seen: string[] = [];
  // `as`, here and below: what Node.js and undici document for their channels.
  const onServer = (message: unknown, channel: string | symbol): void => {
    const { request } = message as { request: IncomingMessage };
    // The fake authentik is a server of node:http as well.
    if (request.headers.host === gateway.url.host) seen.push(`${String(channel)} ${request.url}`);
  };
  const onClient = (message: unknown, channel: string | symbol): void => {
    const { request } = message as { request: { origin: string; path: string } };
    // Node.js's own fetch, which asks the gateway here, publishes on undici's channels as well.
    if (request.origin === authentik.url.origin) seen.push(`${String(channel)} ${request.path}`);
  };
  subscribe("http.server.request.start", onServer);
  subscribe("http.server.response.finish", onServer);
  subscribe("undici:request:create", onClient);
  subscribe("undici:request:headers", onClient);

  const { data } = await gateway.post("{ plexConnection(id: 5) { pk } }");

  expect(data).toEqual({ plexConnection: { pk: 5 } });
  expect(authentik.paths()).toEqual(["/api/v3/sources/user_connections/plex/5/"]);
  const all = [
    "http.server.request.start /graphql",
    "undici:request:create /api/v3/sources/user_connections/plex/5/",
    "undici:request:headers /api/v3/sources/user_connections/plex/5/",
    "http.server.response.finish /graphql",
  ];
  // The client may have read it before the server is told that it is sent.
  await expect.poll(() => seen, patience).toEqual(all);
});

function subscribe(channel: string, listener: diagnostics.ChannelListener): void {
  diagnostics.subscribe(channel, listener);
  onTestFinished(() => void diagnostics.unsubscribe(channel, listener));
}
