import type { Config } from "../config.ts";
import { createLog, type ProcessLog } from "../logger.ts";
import { banner } from "./banner.ts";
import type { ProcessContext } from "./context.ts";
import { loggableError } from "./loggable-error.ts";
import { type RunningSandbox, startServing } from "./serving.ts";
import { onEndSignals } from "./signals.ts";
import { StartFailure } from "./start-failure.ts";
import { watchUnexpected } from "./unexpected.ts";

/** `serve` in one process. Resolves with the exit code when it is over. */
export async function serveAlone(config: Config, context: ProcessContext): Promise<number> {
  const { version, events, print, isTerminal } = context;
  const processLog = await createLog({
    level: config.logLevel,
    format: config.logFormat,
    isTerminal,
    base: {},
    shared: false,
  });
  const { log } = processLog;
  try {
    const sandbox = await startSandboxIfNeeded(config);
    const serving = await startServing(config, {
      log: processLog,
      logBase: {},
      version,
      sandbox,
      collectOthers: () => Promise.resolve([]),
    });
    print(banner({ host: config.host, port: serving.port, sandbox }));
    warnOfOpenAccess(config, log);
    return await new Promise<number>((end) => {
      watchUnexpected(events, {
        log,
        countRejection: () => serving.metrics.countUnhandledRejection(),
        end: () => end(1),
      });
      onEndSignals(events, {
        first: (signal) => {
          log.info(`${signal}: finishing what is in flight`);
          const graceMs = signal === "SIGINT" ? 0 : config.drainGraceMs;
          serving.drain({ graceMs }).then(
            (complete) => end(reportEnd(complete, log)),
            (error: unknown) => {
              log.fatal({ error: loggableError(error) }, "the drain failed");
              end(1);
            },
          );
        },
        again: () => {
          log.warn("a second signal: ending at once");
          end(1);
        },
      });
    });
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    context.printError(`${error.message}\n`);
    return 1;
  } finally {
    processLog.flush();
  }
}

/** Starts the stand-in when there is no authentik to ask. @throws {StartFailure} */
export async function startSandboxIfNeeded(config: Config): Promise<RunningSandbox | null> {
  if (config.authentikUrl !== null) return null;
  const { startEmbeddedSandbox } = await import("./sandbox.ts");
  return startEmbeddedSandbox(config);
}

/** Says at every start that nobody is asked for a key. */
export function warnOfOpenAccess({ gateway: { credentials } }: Config, log: ProcessLog["log"]): void {
  if (credentials.mode === "service" && credentials.gatewayKey === null) {
    log.warn("OPEN_ACCESS: whoever reaches this gateway sees what AUTHENTIK_TOKEN sees");
  }
}

/** Logs how the drain went. @returns the exit code */
export function reportEnd(complete: boolean, log: ProcessLog["log"]): number {
  if (complete) log.info("ended; nothing was lost");
  else log.error("ended after DRAIN_TIMEOUT_MS; what was still in flight was cut off");
  return complete ? 0 : 1;
}
