import cluster, { type Worker } from "node:cluster";
import { availableParallelism } from "node:os";
import { banner } from "../cli/banner.ts";
import type { ProcessContext } from "../cli/context.ts";
import { startSandboxIfNeeded, warnOfOpenAccess } from "../cli/serve.ts";
import { onEndSignals } from "../cli/signals.ts";
import { watchUnexpected } from "../cli/unexpected.ts";
import type { Config } from "../config.ts";
import { createLog } from "../logger.ts";
import { createCollector } from "./collector.ts";
import { isWorkerMessage, type PrimaryMessage, type WorkerMessage } from "./messages.ts";
import { createRestarts } from "./restarts.ts";

/** Beyond the workers' own limits: for their last log lines, and for one that no longer reacts. */
const LAST_RESORT_MS = 3000;

/** How many processes are to share the port. */
export function workerCount({ workers }: Pick<Config, "workers">): number {
  return workers === "auto" ? availableParallelism() : workers;
}

/**
 * Starts the workers, starts again those that end by themselves, and ends with them.
 * Resolves with the exit code when it is over.
 */
export async function runPrimary(config: Config, context: ProcessContext): Promise<number> {
  const { logLevel: level, logFormat: format } = config;
  const processLog = await createLog({
    level,
    format,
    isTerminal: context.isTerminal,
    base: { worker: 0 },
    shared: true,
  });
  const { log } = processLog;
  const sandbox = await startSandboxIfNeeded(config);
  const restarts = createRestarts();
  const collector = createCollector({ own: () => ({ workerRestarts: { "": restarts.count() } }) });
  const numbers = new Map<Worker, number>();
  let announced = false;
  let ending = false;
  let worstExitCode = 0;

  const exitCode = await new Promise<number>((end) => {
    const fork = (number: number): void => {
      const worker = cluster.fork();
      numbers.set(worker, number);
      worker.on("message", (message: unknown) => {
        if (isWorkerMessage(message)) onMessage(worker, number, message);
      });
    };
    const onMessage = (worker: Worker, number: number, message: WorkerMessage): void => {
      if (message.kind === "hello" && ending) tell(worker, { kind: "drain", graceMs: 0 });
      else if (message.kind === "hello") tell(worker, { kind: "start", worker: number, sandbox });
      else if (message.kind === "collect") collector.collect(worker, message.id, [...numbers.keys()]);
      else if (message.kind === "numbers") collector.receive(message);
      else if (message.kind === "failed") giveUp(message.sentence);
      else if (!announced) {
        announced = true;
        context.print(banner(config, { port: message.port, sandbox }));
        warnOfOpenAccess(config, log);
      }
    };
    const giveUp = (sentence: string): void => {
      // Once others serve, one that cannot is no reason to end them: it ends by itself and is started again.
      if (ending || announced) return;
      ending = true;
      context.printError(`${sentence}\n`);
      for (const worker of numbers.keys()) worker.process.kill("SIGKILL");
      end(1);
    };
    cluster.on("exit", (worker, code, signal) => {
      const number = numbers.get(worker);
      if (number === undefined) return;
      numbers.delete(worker);
      if (ending) {
        worstExitCode = Math.max(worstExitCode, code ?? 1);
        if (numbers.size === 0) end(worstExitCode);
        return;
      }
      const delayMs = restarts.next(number);
      log.error({ code, signal, delayMs }, `worker ${number} ended by itself: starting it again`);
      setTimeout(() => ending || fork(number), delayMs);
    });
    watchUnexpected(context.events, { log, countRejection: () => {}, end: () => end(1) });
    onEndSignals(context.events, {
      first: (signal) => {
        ending = true;
        log.info(`${signal}: the workers finish what is in flight`);
        const graceMs = signal === "SIGINT" ? 0 : config.drainGraceMs;
        for (const worker of numbers.keys()) tell(worker, { kind: "drain", graceMs });
        if (numbers.size === 0) end(0);
        setTimeout(() => end(1), graceMs + config.drainTimeoutMs + LAST_RESORT_MS).unref();
      },
      again: () => {
        log.warn("a second signal: ending at once");
        end(1);
      },
    });
    for (let number = 1; number <= workerCount(config); number += 1) fork(number);
  });
  for (const worker of numbers.keys()) worker.process.kill("SIGKILL");
  processLog.flush();
  return exitCode;
}

function tell(worker: Worker, message: PrimaryMessage): void {
  // A worker that has just ended has no channel; its end is dealt with where it is noticed.
  if (worker.isConnected()) worker.send(message, () => {});
}
