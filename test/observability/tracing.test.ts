import { createRequire } from "node:module";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startTracing } from "../../src/observability/tracing.ts";
import { buildCli, startBefore } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { startOtlpReceiver } from "./support/otlp-receiver.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

const QUERY = "{ plexConnection(id: 5) { pk } }";
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };

test.each<[Record<string, string>, string[]]>([
  [{ OTEL_SERVICE_NAME: "gateway", OTEL_EXPORTER_OTLP_ENDPOINT: "" }, []],
  [{ ...ENDPOINT, OTEL_SDK_DISABLED: "true" }, []],
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
