import { createRequire } from "node:module";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startTracing } from "../../src/observability/tracing.ts";
import { ask, buildCli, startBefore } from "../process/cli.ts";
import { startOtlpReceiver } from "./support/otlp-receiver.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };

function loadedPackages(): string[] {
  const paths = Object.keys(createRequire(import.meta.url).cache);
  return paths.filter((path) => /@opentelemetry\/(sdk|exporter|otlp)/.test(path));
}

describe("nothing is traced, and nothing loaded for it,", () => {
  test.each<[Record<string, string>, string[]]>([
    [{}, []],
    [{ OTEL_SERVICE_NAME: "gateway" }, []],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, []],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: "true" }, []],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }, []],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, [expect.stringContaining("http/protobuf")]],
  ])("with %j", async (env, said) => {
    const problems: string[] = [];
    const options = {
      version: "1.2.3",
      upstream: new URL("https://id.example.org"),
      onProblem: (sentence: string) => problems.push(sentence),
    };
    expect(await startTracing(env, options)).toBeNull();
    expect(problems).toEqual(said);
    expect(loadedPackages()).toEqual([]);
  });
});

/** Asks once and ends at once: what is there must be sent then. */
async function askAndEnd(env: Record<string, string>): Promise<string> {
  const { cli, url } = await startBefore({}, [], env);
  expect((await ask(url, "{ plexConnection(id: 5) { pk } }")).status).toBe(200);
  cli.kill("SIGINT");
  expect(await cli.exited).toBe(0);
  return cli.output();
}

async function receiverWith(options: { status?: number | null } = {}) {
  const receiver = await startOtlpReceiver(options);
  onTestFinished(receiver.close);
  return receiver;
}

describe("a process that traces", () => {
  test("sends what is there at its end, and says when it is refused", async () => {
    const receiver = await receiverWith({ status: 400 });
    expect(await askAndEnd(receiver.env)).toMatch(/"msg":"OpenTelemetry: .{1,301}"/);
    expect(receiver.spans).toHaveLength(2);
  });

  test("does not wait for a receiver that never answers", async () => {
    const receiver = await receiverWith({ status: null });
    expect(await askAndEnd(receiver.env)).toContain("nothing was lost");
    expect(receiver.requests.length).toBeLessThanOrEqual(1);
  });

  test("names authentik by host and port, also where the URL has none", async () => {
    const receiver = await receiverWith();
    await askAndEnd({ ...receiver.env, AUTHENTIK_URL: "https://127.0.0.1/auth" });
    const at = { "server.address": "127.0.0.1", "server.port": 443 };
    expect(receiver.spans[0]).toMatchObject({ kind: "CLIENT", attributes: at });
  });

  test("samples as the standard variables say", async () => {
    const receiver = await receiverWith();
    await askAndEnd({ ...receiver.env, OTEL_TRACES_SAMPLER: "always_off" });
    expect(receiver.spans).toEqual([]);
  });
});
