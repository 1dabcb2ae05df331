import { beforeAll, expect, it, onTestFinished } from "vitest";
import { startOtlpReceiver } from "../observability/support/otlp-receiver.ts";
import { buildCli, startBefore } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { patience } from "../support/patience.ts";
import { composeSupergraph, ours } from "./support/composition.ts";
import { ROUTERS, startRouter } from "./support/processes.ts";

beforeAll(buildCli);

// @apollo/gateway makes spans as well, but sends a traceparent only where its HTTP client is instrumented from outside.
it.each(ROUTERS.slice(1))(
  "an operation behind %s is one trace, from the router through the gateway to authentik",
  async (name) => {
    const receiver = await startOtlpReceiver();
    onTestFinished(receiver.close);
    const tracing = { ...receiver.env, OTEL_BSP_SCHEDULE_DELAY: "100" };
    const { authentik, url } = await startBefore({}, [], tracing);
    const router = await startRouter(name, await composeSupergraph([ours(url.href)]), {
      ...tracing,
      OPENTELEMETRY: `${receiver.env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`,
    });
    onTestFinished(router.stop);

    const { result } = await ask(new URL(router.url), "query Five { plexConnection(id: 5) { pk } }");
    expect(result).toEqual({ data: { plexConnection: { pk: 5 } } });

    const spansOf = (service: string) =>
      receiver.spans.filter(({ resource }) => resource["service.name"] === service);
    // Each process sends its spans when it wants to.
    await expect.poll(() => spansOf("authentik-graphql"), patience).toHaveLength(2);
    const [call, operation] = spansOf("authentik-graphql");
    const { traceId, spanId, parentSpanId } = operation ?? {};
    expect(operation).toMatchObject({ kind: "SERVER", name: expect.stringMatching(/^query/) });
    expect(call).toMatchObject({ kind: "CLIENT", parentSpanId: spanId, traceId });
    // The router's first span and the one that asked us.
    const routers = [{ parentSpanId: "" }, { spanId: parentSpanId }];
    const expected = routers.map((ids): unknown => expect.objectContaining({ traceId, ...ids }));
    await expect.poll(() => spansOf("hive-gateway"), patience).toEqual(expect.arrayContaining(expected));
    const [request] = authentik.requests.filter(({ path }) => path.includes("/plex/5/"));
    expect(request?.headers).toContainEqual(["traceparent", `00-${traceId}-${call?.spanId}-01`]);
  },
);
