import { createAuthentik } from "../authentik/authentik.ts";
import type { Probe } from "../authentik/client.ts";
import type { Config } from "../config.ts";
import { createSchema } from "../graphql/schema.ts";
import { drain } from "../http/drain.ts";
import { createHealth } from "../http/health.ts";
import { createNodeServer } from "../http/node-server.ts";
import { createRequestLog, type ProcessLog } from "../observability/log.ts";
import { createMetrics, type Metrics } from "../observability/metrics.ts";
import { createGateway, type GatewayDependencies } from "../server.ts";
import { loggableError } from "./loggable-error.ts";
import { listenFailure } from "./start-failure.ts";

/** The stand-in for authentik, as the gateway needs to know it. */
export interface RunningSandbox {
  readonly url: string;
  readonly release: string;
  /** A token that sees everything. */
  readonly token: string;
}

/** What one process needs besides its configuration. */
export interface ServingOptions {
  log: ProcessLog;
  version: string;
  /** What stands in for authentik; null: `config.authentikUrl` is asked. */
  sandbox: RunningSandbox | null;
}

/** One process that answers. */
export interface Serving {
  readonly port: number;
  readonly metrics: Metrics;
  /** Ends without losing a request; false when something had to be cut off. */
  drain: (options: { graceMs: number }) => Promise<boolean>;
}

/** Longest wait for an answer to the question whether authentik is there. */
const PROBE_TIMEOUT_MS = 3000;

/** When what the first operation does without is loaded. */
const WARM_UP_AFTER_MS = 500;

/**
 * Puts everything together and listens.
 * @throws {StartFailure} when it cannot listen
 */
export async function startServing(config: Config, options: ServingOptions): Promise<Serving> {
  const { log: processLog, version, sandbox } = options;
  const { log } = processLog;
  const url = sandbox === null ? config.authentikUrl : new URL(sandbox.url);
  if (url === null) throw new TypeError("neither an authentik nor a sandbox to ask");
  const authentik = createAuthentik({ ...config.authentik, url, userAgent: `authentik-graphql/${version}` });
  const authentikState = () => authentik.state();

  let upstreamUp: boolean | null = null;
  const health = createHealth({
    probe: () => authentik.probe({ timeoutMs: PROBE_TIMEOUT_MS }),
    authentikState,
    sandbox: sandbox !== null,
    cacheMs: config.readinessCacheMs,
    onChange(probe) {
      upstreamUp = probe.ok;
      logProbe(log, { probe, answers: sandbox === null ? "authentik" : "the sandbox" });
    },
  });
  const metrics = createMetrics({
    version,
    endpoint: "/graphql",
    authentikState,
    upstreamUp: () => upstreamUp,
    operationsInFlight: () => gateway.inFlight(),
    connections: () => server.connections(),
    draining: health.draining,
    droppedLogLines: processLog.droppedLines,
  });
  const logRequest = createRequestLog(log, { authentikState });
  const routes = new Map([
    ["/healthz", health.live],
    ["/readyz", health.ready],
  ]);
  if (config.metrics) routes.set("/metrics", metrics.serve);
  const dependencies: GatewayDependencies = {
    schema: createSchema({ federationLinkUrl: config.federationLinkUrl }),
    authentik,
    onRequest(record) {
      metrics.record(record);
      logRequest(record);
    },
    routes,
  };
  const gateway = createGateway({ ...config.gateway, sandboxToken: sandbox?.token ?? null }, dependencies);
  const server = createNodeServer((request, response) => gateway.listener(request, response), {
    ...config.server,
    admit: gateway.admit,
    onError: (error) => log.error({ error: loggableError(error) }, "a connection could not be taken"),
  });
  const port = await server.listen(config).catch((error: unknown) => {
    throw listenFailure(error, config);
  });
  void health.check();
  // Loading takes a moment in which nothing is answered: the first operation goes first.
  setTimeout(() => void gateway.warmUp(), WARM_UP_AFTER_MS).unref();

  return {
    port,
    metrics,
    drain: ({ graceMs }) =>
      drain(
        {
          announce: () => {
            health.startDraining();
            gateway.startDraining();
          },
          closeServer: server.close,
          release: async () => {
            await gateway.close();
            await authentik.close();
            metrics.close();
          },
        },
        { graceMs, timeoutMs: config.drainTimeoutMs },
      ),
  };
}

function logProbe(
  log: ProcessLog["log"],
  { probe: { ok, problem }, answers }: { probe: Probe; answers: string },
): void {
  if (ok) log.info(`${answers} answers`);
  else log.warn(`authentik does not answer as it should: ${problem}`);
}
