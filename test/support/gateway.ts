import { onTestFinished } from "vitest";
import type { GraphQLSchema } from "graphql";
import { createAuthentik } from "../../src/authentik/client.ts";
import type { Authentik, AuthentikOptions } from "../../src/authentik/client.ts";
import { loadConfig, type ServerLimits } from "../../src/config/load.ts";
import { testSchema } from "./schema.ts";
import { createHttpServer } from "../../src/server/http-server.ts";
import { ask, type AskOptions, TOKEN } from "./ask.ts";
import { type FakeAuthentikOptions, startFakeAuthentik } from "./fake-authentik.ts";
import { createGateway, type GatewayOptions } from "../../src/server/gateway.ts";
import type { RequestRecord } from "../../src/observability/log.ts";

export { TOKEN };

export type TestGateway = Awaited<ReturnType<typeof startGateway>>;

export interface TestGatewayOptions {
  authentikUrl: URL;
  gateway?: Partial<GatewayOptions>;
  authentik?: Partial<AuthentikOptions>;
  schema?: GraphQLSchema;
  server?: Partial<ServerLimits>;
  /** Puts a mistake in: what a test must find. */
  spoil?: (authentik: Authentik) => Authentik;
}

const loaded = loadConfig({ env: {}, argv: [], readFile: () => "" });
if (!("config" in loaded)) throw new Error("the defaults are no configuration");
const { config } = loaded;

/** The gateway's defaults as tests start from them. */
export const TEST_GATEWAY_OPTIONS: GatewayOptions = {
  ...config.gateway,
  credentials: { mode: "caller" },
  graphiql: false,
  // A busy machine is no overload of the gateway: what a test asks is answered, however late.
  maxLoopDelayMs: 60_000,
  sandboxToken: null,
};

export const TEST_SERVER_LIMITS: ServerLimits = config.server;

/** How the gateway reaches authentik in tests, but for where it is. */
export const TEST_AUTHENTIK_OPTIONS: Omit<AuthentikOptions, "url"> = {
  ...config.authentik,
  userAgent: "authentik-graphql/test",
};

/** The whole gateway behind a real HTTP listener on a free port. */
export async function startGateway({ spoil = (real) => real, ...options }: TestGatewayOptions) {
  const records: RequestRecord[] = [];
  const authentik = createAuthentik({
    ...TEST_AUTHENTIK_OPTIONS,
    url: options.authentikUrl,
    ...options.authentik,
  });
  const gateway = createGateway(
    { ...TEST_GATEWAY_OPTIONS, ...options.gateway },
    {
      schema: options.schema ?? testSchema(),
      authentik: spoil(authentik),
      tracing: null,
      onRequest: (record) => records.push(record),
      routes: new Map(),
    },
  );
  await gateway.warmUp();
  const server = createHttpServer(gateway.listener, { ...TEST_SERVER_LIMITS, ...options.server });
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  const url = new URL(`http://127.0.0.1:${port}`);

  return {
    /** The graph is at `/graphql`. */
    url,
    /** One for each finished request, in order. */
    records,
    post: (query: string, options?: AskOptions) => ask(url, query, options),
    /** Operations being answered now. */
    inFlight: () => gateway.inFlight(),
    async close() {
      await server.close({ timeoutMs: 0 });
      await gateway.close();
      await authentik.close();
    },
  };
}

export type GatewayBeforeFake = Awaited<ReturnType<typeof startBefore>>;

/** A gateway before a fake authentik; `close` ends both. */
export async function startBefore(
  fake: FakeAuthentikOptions,
  options: Omit<TestGatewayOptions, "authentikUrl">,
) {
  const authentik = await startFakeAuthentik(fake);
  const gateway = await startGateway({ ...options, authentikUrl: authentik.url });
  const close = async (): Promise<void> => {
    await gateway.close();
    await authentik.close();
  };
  return { authentik, gateway, close };
}

/** The same, started by `beforeAll` or `beforeEach` and closed with what those are for. */
export function useGateway(
  hook: (start: () => Promise<() => Promise<void>>) => void,
  fake: FakeAuthentikOptions = {},
  options: Omit<TestGatewayOptions, "authentikUrl"> = {},
): GatewayBeforeFake {
  const at: Partial<GatewayBeforeFake> = {};
  hook(async () => {
    const before = await startBefore(fake, options);
    Object.assign(at, before);
    return before.close;
  });
  return at as GatewayBeforeFake; // no test runs before the hook
}

/** The same for the test that is running. */
export async function gatewayForTest(
  options: Omit<TestGatewayOptions, "authentikUrl"> = {},
  fake: FakeAuthentikOptions = {},
) {
  const before = await startBefore(fake, options);
  onTestFinished(before.close);
  return before;
}
