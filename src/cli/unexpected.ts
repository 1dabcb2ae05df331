import type { EventEmitter } from "node:events";
import type { ProcessLog } from "../observability/log.ts";
import { loggableError } from "./loggable-error.ts";

/**
 * Decides what a failure that nobody caught does: a forgotten promise is logged and counted, as no single operation may
 * end the process; after an exception the state is unknown, so that it is logged and `end` is called.
 */
export function watchUnexpected(
  events: EventEmitter,
  options: { log: ProcessLog["log"]; countRejection: () => void; end: () => void },
): void {
  const { log, countRejection, end } = options;
  events.on("unhandledRejection", (reason: unknown) => {
    countRejection();
    log.error({ error: loggableError(reason) }, "a promise failed and nobody noticed: please report this");
  });
  events.on("uncaughtException", (error: unknown) => {
    log.fatal({ error: loggableError(error) }, "an exception that nobody caught: please report this");
    end();
  });
}
