import diagnostics from "node:diagnostics_channel";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startTracing } from "../../src/observability/tracing.ts";
import { buildCli, startBefore } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { gatewayForTest } from "../support/gateway.ts";
import { patience } from "../support/patience.ts";
import { startOtlpReceiver } from "./support/otlp-receiver.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

const QUERY = "{ plexConnection(id: 5) { pk } }";
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };

test.each<[Record<string, string>, string[]]>([
  [{ OTEL_SERVICE_NAME: "gateway", OTEL_EXPORTER_OTLP_ENDPOINT: "" }, []],
  [{ ...ENDPOINT, OTEL_SDK_DISABLED: "true" }, []],
  [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }, []],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, [expect.stringContaining("http/protobuf")]],
])("nothing is traced, and nothing loaded for it, with %j", async (env, said) => {
  const problems: string[] = [];
  const upstream = new URL("https://id.example.org");
  const onProblem = (sentence: string) => problems.push(sentence);
  expect(await startTracing(env, { version: "1.2.3", upstream, onProblem })).toBeNull();
  expect(problems).toEqual(said);
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  expect(loaded.filter((path) => /@opentelemetry\/(sdk|exporter|otlp)/.test(path))).toEqual([]);
});

describe("a process that traces and ends", () => {
  test.each([
    ["sends what is there, and says when it is refused", 400, /"msg":"OpenTelemetry: .{1,301}"/],
    ["does not wait for a receiver that never answers", null, /nothing was lost/],
  ])("%s", async (_what, status, said) => {
    const receiver = await startOtlpReceiver({ status });
    onTestFinished(receiver.close);
    const { cli, url } = await startBefore({}, [], receiver.env);
    expect((await ask(url, QUERY)).status).toBe(200);
    cli.kill("SIGINT");
    expect(await cli.exited).toBe(0);
    expect(cli.output()).toMatch(said);
  });
});

/** What Node.js and undici document for their channels: the request of a server, or that of a client. */
interface Message {
  request: { headers: { host?: string }; origin?: string };
}

// What instrumentation from outside builds on: OpenTelemetry's for node:http and undici, and agents of other makers.
test("one operation is seen on the diagnostics channels of node:http and of undici, once each", async () => {
  const { authentik, gateway } = await gatewayForTest();
  const server = ["http.server.request.start", "http.server.response.finish"];
  const client = ["undici:request:create", "undici:request:headers"];
  const seen: string[] = [];
  for (const channel of [...server, ...client]) {
    const listener = (message: unknown): void => {
      const { request } = message as Message; // as documented
      // The fake authentik is a server of node:http as well, and Node.js's own fetch, which asks here, a client of undici.
      if (
        [request.origin, request.headers.host].some(
          (at) => at === authentik.url.origin || at === gateway.url.host,
        )
      )
        seen.push(channel);
    };
    diagnostics.subscribe(channel, listener);
    onTestFinished(() => void diagnostics.unsubscribe(channel, listener));
  }
  expect((await gateway.post(QUERY)).data).toEqual({ plexConnection: { pk: 5 } });
  // The client may have read it before the server is told that it is sent.
  await expect.poll(() => seen.toSorted(), patience).toEqual([...server, ...client]);
});
