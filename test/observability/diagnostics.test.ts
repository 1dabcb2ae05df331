import diagnostics from "node:diagnostics_channel";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { useGateway } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";

const at = useGateway(beforeAll);

/** What Node.js and undici document for their channels: the request of a server, or that of a client. */
interface Message {
  request: { url?: string; headers: { host?: string }; origin?: string; path?: string };
}

// What instrumentation from outside builds on: OpenTelemetry's for node:http and undici, and agents of other makers.
test("one operation is seen on the diagnostics channels of node:http and of undici, once each", async () => {
  const { authentik, gateway } = at;
  const call = "/api/v3/sources/user_connections/plex/5/";
  const expected = [
    ["http.server.request.start", "/graphql"],
    ["undici:request:create", call],
    ["undici:request:headers", call],
    ["http.server.response.finish", "/graphql"],
  ] as const;
  const seen: [string, string | undefined][] = [];
  for (const [channel] of expected) {
    const listener = (message: unknown): void => {
      const { request } = message as Message; // as documented
      // The fake authentik is a server of node:http as well, and Node.js's own fetch, which asks here, a client of undici.
      if (request.origin === authentik.url.origin) seen.push([channel, request.path]);
      if (request.headers.host === gateway.url.host) seen.push([channel, request.url]);
    };
    diagnostics.subscribe(channel, listener);
    onTestFinished(() => void diagnostics.unsubscribe(channel, listener));
  }
  expect((await gateway.post("{ plexConnection(id: 5) { pk } }")).data).toEqual({
    plexConnection: { pk: 5 },
  });
  expect(authentik.paths()).toEqual([call]);
  // The client may have read it before the server is told that it is sent.
  await expect.poll(() => seen, patience).toEqual(expected);
});
