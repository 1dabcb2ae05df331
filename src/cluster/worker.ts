import type { ProcessContext } from "../cli/context.ts";
import { endServing } from "../cli/serve.ts";
import { type Serving, startServing } from "../cli/serving.ts";
import { StartFailure } from "../cli/start-failure.ts";
import { watchUnexpected } from "../cli/unexpected.ts";
import type { Config } from "../config.ts";
import { createLog } from "../logger.ts";
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
  const { events, send, version, isTerminal } = context;
  for (const signal of ["SIGTERM", "SIGINT"]) events.on(signal, () => {});
  const asked = new Map<number, (snapshots: readonly MetricsSnapshot[]) => void>();
  let serving: Serving | undefined;
  const started = nextMessage(events, "start");
  // The end may be wanted before the start is over.
  const endWanted = Promise.race([
    nextMessage(events, "drain"),
    new Promise<{ graceMs: number }>((resolve) => events.once("disconnect", () => resolve({ graceMs: 0 }))),
  ]);
  events.on("message", (message: unknown) => {
    if (!isPrimaryMessage(message)) return;
    if (message.kind === "collected") asked.get(message.id)?.(message.snapshots);
    else if (message.kind === "report") {
      send({ kind: "numbers", id: message.id, snapshot: serving?.metrics.snapshot() ?? {} });
    }
  });
  send({ kind: "hello" });
  const start = await Promise.race([started, endWanted]);
  if ("graceMs" in start) return 0;

  const logBase = { worker: start.worker };
  const { logLevel: level, logFormat: format } = config;
  const processLog = await createLog({ level, format, isTerminal, base: logBase, shared: true });
  const { log } = processLog;
  const crashed = new Promise<number>((end) => {
    watchUnexpected(events, {
      log,
      countRejection: () => serving?.metrics.countUnhandledRejection(),
      end: () => end(1),
    });
  });
  try {
    serving = await startServing(config, {
      log: processLog,
      logBase,
      version,
      sandbox: start.sandbox,
      collectOthers: () => collectOthers(asked, send),
    });
    send({ kind: "ready", port: serving.port });
    const running = serving;
    return await Promise.race([
      crashed,
      endWanted.then(({ graceMs }) => endServing(running, { graceMs, log })),
    ]);
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    send({ kind: "failed", sentence: error.message });
    return 1;
  } finally {
    processLog.flush();
  }
}

function nextMessage<Kind extends PrimaryMessage["kind"]>(
  events: ProcessContext["events"],
  kind: Kind,
): Promise<Extract<PrimaryMessage, { kind: Kind }>> {
  const isWanted = (message: PrimaryMessage): message is Extract<PrimaryMessage, { kind: Kind }> =>
    message.kind === kind;
  return new Promise((resolve) => {
    const listen = (message: unknown): void => {
      if (!isPrimaryMessage(message) || !isWanted(message)) return;
      events.off("message", listen);
      resolve(message);
    };
    events.on("message", listen);
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
