import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { createAuthentik } from "./authentik/client.ts";
import type { Config } from "./config/load.ts";
import { createSchema } from "./graphql/schema.ts";
import { createHealth } from "./server/health.ts";
import { createHttpServer } from "./server/http-server.ts";
import {
  listenFailure,
  loggableError,
  onEndSignals,
  onUnexpected,
  type ProcessContext,
  StartFailure,
} from "./lifecycle.ts";
import { createLog, createRequestLog, type ProcessLog } from "./observability/log.ts";
import { createMetrics } from "./observability/metrics.ts";
import { startTracing } from "./observability/tracing.ts";
import { followSecret } from "./config/secret.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import type { Credentials } from "./server/credentials.ts";
import { createGateway, ENDPOINT } from "./server/gateway.ts";

/** What `serve` needs besides its configuration. */
export interface ServeOptions extends ProcessContext {
  /** Starts the stand-in; called when there is no authentik to ask. @throws {StartFailure} */
  readonly startSandbox: () => Promise<Sandbox>;
  /** Called once requests are answered. */
  readonly onListening: (address: { port: number; sandbox: Sandbox | null }) => void;
}

/** Longest wait for the response that tells whether authentik is there. */
const PROBE_TIMEOUT_MS = 3000;

/** How often it is asked without anybody wanting to know. */
const WATCH_INTERVAL_MS = 30_000;

/** Time for connections to authentik to close, and for traces to be sent, once nobody needs them. */
const RELEASE_TIMEOUT_MS = 1000;

/** When what the first operation does without is loaded. */
const WARM_UP_AFTER_MS = 500;

/**
 * Serves until a signal or an exception ends it. Resolves with the exit code: 0 when nothing was lost.
 * @throws {StartFailure} when it cannot start
 */
export async function serve(config: Config, options: ServeOptions): Promise<number> {
  const { events, isTerminal } = options;
  const { logLevel: level, logFormat: format, drainGraceMs } = config;
  const processLog = await createLog({ level, format, isTerminal });
  const { log } = processLog;
  let serving: Awaited<ReturnType<typeof startServing>> | undefined;
  const countRejection = (): void => serving?.metrics.countUnhandledRejection();
  const ended = new Promise<number>((end) => {
    onUnexpected(events, { log, countRejection, end: () => end(1) });
    // From the first moment on: a container's first process does not even end by a signal that nobody handles.
    onEndSignals(events, {
      first: (signal) => {
        log.info(`${signal}: finishing what is in flight`);
        if (serving === undefined) end(0);
        else void serving.end({ graceMs: signal === "SIGINT" ? 0 : drainGraceMs }).then(end);
      },
      again: () => {
        log.warn("a second signal: ending at once");
        end(1);
      },
    });
  });
  const start = async (): Promise<number> => {
    const sandbox = config.authentikUrl === null ? await options.startSandbox() : null;
    serving = await startServing(config, { ...options, processLog, sandbox });
    options.onListening({ port: serving.port, sandbox });
    const { credentials } = config.gateway;
    if (credentials.mode === "service" && credentials.gatewayKey === null) {
      // Not a line of the log, which LOG_LEVEL may leave out.
      options.printError(
        "Warning: OPEN_ACCESS: whoever reaches this gateway sees what AUTHENTIK_TOKEN sees\n",
      );
    }
    return ended;
  };
  try {
    return await Promise.race([ended, start()]);
  } catch (error) {
    if (error instanceof StartFailure) throw error;
    log.fatal({ error: loggableError(error) }, "the start went wrong: please report this");
    return 1;
  } finally {
    await processLog.flush();
  }
}

/** Puts everything together and listens. @throws {StartFailure} when it cannot listen */
async function startServing(
  config: Config,
  options: ServeOptions & { processLog: ProcessLog; sandbox: Sandbox | null },
) {
  const { processLog, version, sandbox, env } = options;
  const { log } = processLog;
  const url = sandbox?.url ?? config.authentikUrl;
  if (url === null) throw new TypeError("neither an authentik nor a sandbox to ask");
  const credentials = followCredentials(config.gateway.credentials, {
    log,
    onTokenChange: () => void health.check({ anew: true }),
  });
  const serviceAuthorization =
    credentials.mode === "service" ? () => `Bearer ${credentials.authentikToken()}` : undefined;
  const authentik = createAuthentik({
    ...config.authentik,
    url,
    userAgent: `authentik-graphql/${version}`,
    ...(serviceAuthorization && { serviceAuthorization }),
    onUpstreamRequest: (request) => metrics.observeUpstreamRequest(request),
  });
  const authentikState = () => authentik.state();
  const tracing = await startTracing(env, {
    version,
    upstream: url,
    onProblem: (sentence) => log.warn(sentence),
  });

  const health = createHealth({
    probe: () => authentik.probe({ timeoutMs: PROBE_TIMEOUT_MS }),
    authentikState,
    sandbox: sandbox !== null,
    readiness: config.readiness,
    cacheMs: config.readinessCacheMs,
    isDraining: () => server.isDraining(),
    onChange: ({ ok, problem, refusesToken }) => {
      if (refusesToken) log.error(problem);
      else if (ok) log.info(`${sandbox === null ? "authentik" : "the sandbox"} answers`);
      else log.warn(`authentik does not answer as it should: ${problem}`);
    },
  });
  const metrics = createMetrics({
    version,
    endpoint: ENDPOINT,
    authentikState,
    usage: authentik.usage,
    // Whoever looks has authentik asked, so that the next one sees what is.
    upstreamUp: () => {
      void health.check();
      return health.lastProbe()?.ok ?? null;
    },
    serviceCredentialsValid:
      serviceAuthorization &&
      (() => {
        const refusesToken = health.lastProbe()?.refusesToken ?? null;
        return refusesToken === null ? null : !refusesToken;
      }),
    operationsInFlight: () => gateway.inFlight(),
    connections: () => server.connections(),
    draining: () => server.isDraining(),
    droppedLogLines: processLog.droppedLines,
  });
  const logRequest = createRequestLog(log, { authentikState });
  const routes = new Map([
    ["/healthz", health.live],
    ["/readyz", health.ready],
  ]);
  if (config.metrics) {
    routes.set("/metrics", metrics.serve);
  }
  const gateway = createGateway(
    { ...config.gateway, credentials, sandboxToken: sandbox?.tokens.administrator.token ?? null },
    {
      schema: createSchema(config),
      authentik,
      tracing,
      onRequest: (record) => {
        metrics.record(record);
        logRequest(record);
      },
      routes,
    },
  );
  const server = createHttpServer(gateway.listener, {
    ...config.server,
    onError: (error) => log.error({ error: loggableError(error) }, "a connection could not be taken"),
  });
  const port = await server.listen(config).catch((error: unknown) => {
    throw listenFailure(error, config);
  });
  void health.check();
  // Where nobody asks for readiness or metrics, or what they found is reused for long, the log tells all the same.
  setInterval(() => void health.check({ anew: true }), WATCH_INTERVAL_MS).unref();
  // Loading takes a moment in which nothing is answered: the first operation goes first.
  setTimeout(() => void gateway.warmUp(), WARM_UP_AFTER_MS).unref();

  return {
    port,
    metrics,
    /** Ends without losing a request and says how that went. Resolves with the exit code. */
    async end({ graceMs }: { graceMs: number }): Promise<number> {
      try {
        server.startDraining();
        if (graceMs > 0) await sleep(graceMs);
        const complete = await server.close({ timeoutMs: config.drainTimeoutMs });
        await Promise.race([
          Promise.all([gateway.close(), authentik.close(), tracing?.shutdown()]),
          sleep(RELEASE_TIMEOUT_MS),
        ]);
        if (complete) log.info("ended; nothing was lost");
        else log.error("ended after DRAIN_TIMEOUT_MS; what was still in flight was cut off");
        return complete ? 0 : 1;
      } catch (error) {
        log.fatal({ error: loggableError(error) }, "the end went wrong");
        return 1;
      }
    },
  };
}

/** The credentials as they are now, where they come from files that may change. */
function followCredentials(
  credentials: Config["gateway"]["credentials"],
  { log, onTokenChange }: { log: Logger; onTokenChange: () => void },
): Credentials {
  if (credentials.mode === "caller") return credentials;
  const { authentikToken, gatewayKey } = credentials;
  return {
    mode: "service",
    authentikToken: followSecret(authentikToken, { log, onChange: onTokenChange }),
    gatewayKey: gatewayKey && followSecret(gatewayKey, { log, onChange: () => {} }),
  };
}
