import { beforeAll, expect, it, onTestFinished } from "vitest";
import { printSchema } from "../../src/graphql/print.ts";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import { startOtlpReceiver } from "../observability/support/otlp-receiver.ts";
import { buildCli, startCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { patience } from "../support/patience.ts";
import { send } from "./support/compare.ts";
import { composeSupergraph } from "./support/composition.ts";
import { type RouterName, startRouter } from "./support/routers.ts";

beforeAll(buildCli);

// @apollo/gateway makes spans as well, but sends a traceparent only where its HTTP client is instrumented from outside.
it.each<RouterName>(["Hive Gateway", "Hive Gateway with its native planner"])(
  "an operation behind %s is one trace, from the router through the gateway to authentik",
  async (name) => {
    const receiver = await startOtlpReceiver();
    const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "100" };
    const authentik = await startFakeAuthentik();
    onTestFinished(() => authentik.close());
    const gateway = startCli(["serve", "--port=0"], { AUTHENTIK_URL: authentik.url.href, ...tracing });
    const sdl = printSchema(createSchema({ federationLinkUrl: FEDERATION_LINK_URL }));
    const supergraph = await composeSupergraph([{ name: "authentik", url: await gateway.url(), sdl }]);
    const router = await startRouter(name, supergraph, tracing);
    onTestFinished(() => router.stop());

    const query = "query Five { plexConnection(id: 5) { pk } }";
    expect(await send(router.url, { query }, "Bearer token-of-administrator")).toEqual({
      data: { plexConnection: { pk: 5 } },
    });

    const spansOf = (service: string): typeof receiver.spans =>
      receiver.spans.filter(({ resource }) => resource["service.name"] === service);
    // Each process sends its spans when it wants to.
    await expect.poll(() => spansOf("authentik-graphql"), patience).toHaveLength(2);
    const [call, operation] = spansOf("authentik-graphql");
    expect(operation).toMatchObject({ kind: "SERVER", name: expect.stringMatching(/^query/) });
    expect(call).toMatchObject({
      kind: "CLIENT",
      parentSpanId: operation?.spanId,
      traceId: operation?.traceId,
    });
    const { traceId, parentSpanId } = operation ?? {};
    // The router's first span and the one that asked us.
    for (const ids of [{ parentSpanId: "" }, { spanId: parentSpanId }]) {
      const span: unknown = expect.objectContaining({ traceId, ...ids });
      await expect.poll(() => spansOf("hive-gateway"), patience).toContainEqual(span);
    }
    const [request] = authentik.requests.filter(({ path }) => path.includes("/plex/5/"));
    expect(request?.headers).toContainEqual(["traceparent", `00-${traceId}-${call?.spanId}-01`]);
  },
);
