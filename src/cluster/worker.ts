import type { ProcessContext } from "../cli/context.ts";
import { loggableError } from "../cli/loggable-error.ts";
import { reportEnd } from "../cli/serve.ts";
import { type Serving, startServing } from "../cli/serving.ts";
import { StartFailure } from "../cli/start-failure.ts";
import { watchUnexpected } from "../cli/unexpected.ts";
import type { Config } from "../config.ts";
import { createLog, type ProcessLog } from "../logger.ts";
import type { MetricsSnapshot } from "../metrics/families.ts";
import { isPrimaryMessage, type PrimaryMessage, type WorkerMessage } from "./messages.ts";

/** How long a worker waits for the numbers of the others before it tells only its own. */
const COLLECT_TIMEOUT_MS = 1000;

/**
 * One of several processes that share the port. Serves when its primary says so and ends when it says so, or is gone;
 * signals are the primary's, since a terminal sends them to all.
 * Resolves with the exit code when it is over.
 */
export async function runWorker(
  config: Config,
  context: ProcessContext & { send: (message: WorkerMessage) => void },
): Promise<number> {
  const { events, send } = context;
  for (const signal of ["SIGTERM", "SIGINT"]) events.on(signal, () => {});
  const start = await nextMessage(events, { send, kind: "start" });
  const logBase = { worker: start.worker };
  const { logLevel: level, logFormat: format } = config;
  const { isTerminal } = context;
  const processLog = await createLog({ level, format, isTerminal, base: logBase, shared: true });
  const { log } = processLog;
  const asked = new Map<number, (snapshots: readonly MetricsSnapshot[]) => void>();
  try {
    const serving = await startServing(config, {
      log: processLog,
      logBase,
      version: context.version,
      sandbox: start.sandbox,
      collectOthers: () => collectOthers(asked, send),
    });
    send({ kind: "ready", port: serving.port });
    return await new Promise<number>((end) => {
      const { metrics } = serving;
      watchUnexpected(events, {
        log,
        countRejection: () => metrics.countUnhandledRejection(),
        end: () => end(1),
      });
      events.once("disconnect", () => endServing(serving, { graceMs: 0, log, end }));
      events.on("message", (message: unknown) => {
        if (!isPrimaryMessage(message)) return;
        if (message.kind === "report")
          send({ kind: "numbers", id: message.id, snapshot: metrics.snapshot() });
        else if (message.kind === "collected") asked.get(message.id)?.(message.snapshots);
        else if (message.kind === "drain") endServing(serving, { graceMs: message.graceMs, log, end });
      });
    });
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    send({ kind: "failed", sentence: error.message });
    return 1;
  } finally {
    processLog.flush();
  }
}

function nextMessage(
  events: ProcessContext["events"],
  { send, kind }: { send: (message: WorkerMessage) => void; kind: "start" },
): Promise<Extract<PrimaryMessage, { kind: "start" }>> {
  return new Promise((resolve) => {
    const listen = (message: unknown): void => {
      if (!isPrimaryMessage(message) || message.kind !== kind) return;
      events.off("message", listen);
      resolve(message);
    };
    events.on("message", listen);
    send({ kind: "hello" });
  });
}

function collectOthers(
  asked: Map<number, (snapshots: readonly MetricsSnapshot[]) => void>,
  send: (message: WorkerMessage) => void,
): Promise<readonly MetricsSnapshot[]> {
  const id = Math.max(0, ...asked.keys()) + 1;
  return new Promise((resolve) => {
    const finish = (snapshots: readonly MetricsSnapshot[]): void => {
      clearTimeout(timer);
      asked.delete(id);
      resolve(snapshots);
    };
    const timer = setTimeout(() => finish([]), COLLECT_TIMEOUT_MS);
    asked.set(id, finish);
    send({ kind: "collect", id });
  });
}

function endServing(
  serving: Serving,
  { graceMs, log, end }: { graceMs: number; log: ProcessLog["log"]; end: (exitCode: number) => void },
): void {
  serving.drain({ graceMs }).then(
    (complete) => end(reportEnd(complete, log)),
    (error: unknown) => {
      log.fatal({ error: loggableError(error) }, "the drain failed");
      end(1);
    },
  );
}
