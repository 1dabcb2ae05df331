import type { EventEmitter } from "node:events";
import type { Logger } from "pino";

/** The process around a command: what `main.ts` lends it. */
export interface ProcessContext {
  readonly version: string;
  /** How a person starts this program again, such as `npm start`. */
  readonly invocation: string;
  readonly isTerminal: boolean;
  /** The environment, for what OpenTelemetry reads from there. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes to standard output. */
  readonly print: (text: string) => void;
  /** Writes to standard error. */
  readonly printError: (text: string) => void;
  /** Emits SIGTERM, SIGINT, unhandledRejection and uncaughtException. */
  readonly events: EventEmitter;
}

/** npm passes on the Ctrl-C that the terminal sends to its child as well: that is one wish, not two. */
const SAME_WISH_MS = 300;

/**
 * Calls `first` for the first signal to end and `again` for any that comes a moment later.
 * Takes the signals over: without a call of ours the process lives on.
 */
export function onEndSignals(
  events: EventEmitter,
  handlers: { first: (signal: "SIGTERM" | "SIGINT") => void; again: () => void },
): void {
  let firstAtMs: number | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    events.on(signal, () => {
      if (firstAtMs === undefined) {
        firstAtMs = performance.now();
        handlers.first(signal);
      } else if (performance.now() - firstAtMs > SAME_WISH_MS) handlers.again();
    });
  }
}

/**
 * Decides what a failure that nobody caught does: a forgotten promise is logged and counted, as no single operation may
 * end the process; after an exception the state is unknown, so that it is logged and `end` is called.
 */
export function onUnexpected(
  events: EventEmitter,
  { log, countRejection, end }: { log: Logger; countRejection: () => void; end: () => void },
): void {
  events.on("unhandledRejection", (reason: unknown) => {
    countRejection();
    log.error({ error: loggableError(reason) }, "a promise failed and nobody noticed: please report this");
  });
  events.on("uncaughtException", (error: unknown) => {
    log.fatal({ error: loggableError(error) }, "an exception that nobody caught: please report this");
    end();
  });
}

/** What a log may hold of an unexpected failure: what and where, none of the objects that libraries hang on errors. */
export function loggableError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { type: error.name, message: error.message, ...code, stack: error.stack };
}

/** A start that cannot succeed as things are; its message is a sentence for the person who tried. */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}

/** Says what a person can do about a server that cannot listen. */
export function listenFailure(
  error: unknown,
  { host, port, flag = "--port" }: { host: string; port: number; flag?: string },
): StartFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const sentences: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is taken by another process: choose one with ${flag}, or 0 for a free one.`,
    EACCES: `Port ${port} on ${host} needs more rights than this process has: choose one above 1023 with ${flag}.`,
    EADDRNOTAVAIL: `This machine has no address ${host}: choose one with --host.`,
    ENOTFOUND: `The host name ${host} is not known: choose an address with --host.`,
    EAI_AGAIN: `The host name ${host} is not known: choose an address with --host.`,
  };
  const reason = error instanceof Error ? error.message : String(error);
  const sentence = sentences[code] ?? `Cannot listen on port ${port} of ${host}: ${reason}`;
  return new StartFailure(sentence, { cause: error });
}
