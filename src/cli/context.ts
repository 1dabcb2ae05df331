import type { EventEmitter } from "node:events";

/** The process around a command: what `main.ts` lends it. */
export interface ProcessContext {
  readonly version: string;
  readonly isTerminal: boolean;
  /** Writes to standard output. */
  readonly print: (text: string) => void;
  /** Writes to standard error. */
  readonly printError: (text: string) => void;
  /** Emits SIGTERM, SIGINT, unhandledRejection, uncaughtException, message and disconnect. */
  readonly events: EventEmitter;
}
