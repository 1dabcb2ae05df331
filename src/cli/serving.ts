import { createAuthentik } from "../authentik/client.ts";
import type { Probe } from "../authentik/probe.ts";
import type { Config } from "../config.ts";
import { createSchema } from "../graphql/schema.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { createHealth } from "../server/health.ts";
import { createMetricsRoute } from "../server/metrics-route.ts";
import { createHttpServer } from "../server/http-server.ts";
import { createRequestLog } from "../log/request-line.ts";
import type { ProcessLog } from "../logger.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import type { MetricsSnapshot } from "../metrics/families.ts";
import { createGateway, type GatewayDependencies } from "../server/gateway.ts";
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
  /** Fields of every line of the log. */
  logBase: Readonly<Record<string, string | number>>;
  version: string;
  /** What stands in for authentik; null: `config.authentikUrl` is asked. */
  sandbox: RunningSandbox | null;
  /** The numbers of the other processes. Never rejects. */
  collectOthers: () => Promise<readonly MetricsSnapshot[]>;
}

/** One process that answers. */
export interface Serving {
  readonly port: number;
  readonly metrics: Metrics;
  /** Ends without losing a request; false when something had to be cut off. */
  drain: (options: { graceMs: number }) => Promise<boolean>;
}

/** Time for connections to authentik to close once nobody needs them. */
const RELEASE_TIMEOUT_MS = 1_000;

/** Longest wait for an answer to the question whether authentik is there. */
const PROBE_TIMEOUT_MS = 3000;

/** When what the first operation does without is loaded. */
const WARM_UP_AFTER_MS = 500;

/**
 * Puts everything together and listens.
 * @throws {StartFailure} when it cannot listen
 */
export async function startServing(config: Config, options: ServingOptions): Promise<Serving> {
  const { log: processLog, logBase, version, sandbox, collectOthers } = options;
  const { log } = processLog;
  const url = sandbox === null ? config.authentikUrl : new URL(sandbox.url);
  if (url === null) throw new TypeError("neither an authentik nor a sandbox to ask");
  const authentik = createAuthentik({ ...config.authentik, url, userAgent: `authentik-graphql/${version}` });
  const authentikState = () => authentik.state();

  const health = createHealth({
    probe: () => authentik.probe({ timeoutMs: PROBE_TIMEOUT_MS }),
    authentikState,
    sandbox: sandbox !== null,
    cacheMs: config.readinessCacheMs,
    onChange: (probe) => logProbe(log, { probe, answers: sandbox === null ? "authentik" : "the sandbox" }),
  });
  const counters = createMetrics({
    version,
    authentikState,
    operationsInFlight: () => gateway.inFlight(),
    connections: () => server.connections(),
    draining: health.draining,
    droppedLogLines: processLog.droppedLines,
  });
  const logRequest = createRequestLog({
    level: config.logLevel,
    base: logBase,
    authentikState,
    writeLine: processLog.writeLine,
  });
  const metrics: Metrics = counters;
  const routes = new Map([
    ["/healthz", health.live],
    ["/readyz", health.ready],
  ]);
  if (config.metrics) {
    routes.set(
      "/metrics",
      createMetricsRoute(async () => [metrics.snapshot(), ...(await collectOthers())]),
    );
  }
  const dependencies: GatewayDependencies = {
    schema: createSchema({ federationLinkUrl: config.federationLinkUrl }),
    authentik,
    onRequest: (record) => {
      counters.record(record);
      logRequest(record);
    },
    routes,
  };
  const gateway = createGateway({ ...config.gateway, sandboxToken: sandbox?.token ?? null }, dependencies);
  const server = createHttpServer(gateway.listener, {
    ...config.server,
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
    async drain({ graceMs }) {
      health.startDraining();
      gateway.startDraining();
      if (graceMs > 0) await sleep(graceMs);
      const complete = await server.close({ timeoutMs: config.drainTimeoutMs });
      await Promise.race([Promise.all([gateway.close(), authentik.close()]), sleep(RELEASE_TIMEOUT_MS)]);
      return complete;
    },
  };
}

function logProbe(
  log: ProcessLog["log"],
  { probe: { ok, problem }, answers }: { probe: Probe; answers: string },
): void {
  if (ok) log.info(`${answers} answers`);
  else log.warn(`authentik does not answer as it should: ${problem}`);
}
