import type { Config } from "../config.ts";
import { createLog, type ProcessLog } from "../observability/log.ts";
import { banner } from "./banner.ts";
import type { ProcessContext } from "./context.ts";
import { loggableError } from "./loggable-error.ts";
import { type RunningSandbox, type Serving, startServing } from "./serving.ts";
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
  });
  const { log } = processLog;
  let serving: Serving | undefined;
  const ended = new Promise<number>((end) => {
    watchUnexpected(events, {
      log,
      countRejection: () => serving?.metrics.countUnhandledRejection(),
      end: () => end(1),
    });
    // From the first moment on: a container's first process does not even end by a signal that nobody handles.
    onEndSignals(events, {
      first: (signal) => {
        log.info(`${signal}: finishing what is in flight`);
        const graceMs = signal === "SIGINT" ? 0 : config.drainGraceMs;
        if (serving === undefined) end(0);
        else void endServing(serving, { graceMs, log }).then(end);
      },
      again: () => {
        log.warn("a second signal: ending at once");
        end(1);
      },
    });
  });
  const start = async (): Promise<number> => {
    const sandbox = await startSandboxIfNeeded(config);
    serving = await startServing(config, { log: processLog, version, sandbox });
    print(banner(config, { port: serving.port, sandbox }));
    warnOfOpenAccess(config, log);
    return ended;
  };
  try {
    return await Promise.race([ended, start()]);
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    context.printError(`${error.message}\n`);
    return 1;
  } finally {
    await processLog.flush();
  }
}

/** Starts the stand-in when there is no authentik to ask. @throws {StartFailure} */
async function startSandboxIfNeeded(config: Config): Promise<RunningSandbox | null> {
  if (config.authentikUrl !== null) return null;
  const { startEmbeddedSandbox } = await import("./sandbox.ts");
  return startEmbeddedSandbox(config);
}

/** Says at every start that nobody is asked for a key. */
function warnOfOpenAccess({ gateway: { credentials } }: Config, log: ProcessLog["log"]): void {
  if (credentials.mode === "service" && credentials.gatewayKey === null) {
    log.warn("OPEN_ACCESS: whoever reaches this gateway sees what AUTHENTIK_TOKEN sees");
  }
}

/** Ends without losing a request and says how that went. Resolves with the exit code. */
async function endServing(
  serving: Serving,
  { graceMs, log }: { graceMs: number; log: ProcessLog["log"] },
): Promise<number> {
  try {
    const complete = await serving.drain({ graceMs });
    if (complete) log.info("ended; nothing was lost");
    else log.error("ended after DRAIN_TIMEOUT_MS; what was still in flight was cut off");
    return complete ? 0 : 1;
  } catch (error) {
    log.fatal({ error: loggableError(error) }, "the end went wrong");
    return 1;
  }
}
