import type { LogFormat, LogLevel } from "./config/load.ts";
import pino, { type Logger } from "pino";
import { redact } from "./log/redact.ts";

/** The process' log: lines for people and machines, on standard output unless told otherwise. */
export interface ProcessLog {
  readonly log: Logger;
  /** Writes a line of JSON that is complete already, whatever the level. Nothing in it is redacted. */
  writeLine: (line: string) => void;
  /** Writes out what is buffered, before this returns. */
  flush: () => void;
  /** Lines lost because nobody read them fast enough. */
  droppedLines: () => number;
}

/** How to log. */
export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  /** Whether people look at standard output: what `auto` depends on. */
  isTerminal: boolean;
  /** Fields of every line, such as the number of the worker. */
  base: Readonly<Record<string, string | number>>;
  /** Whether other processes write to the same pipe: lines are then kept whole by writing little at once. */
  shared: boolean;
  /** File descriptor; default 1, standard output. */
  fd?: number;
}

/** Bytes that may wait for a reader before lines are dropped instead of growing the process. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
const FLUSH_INTERVAL_MS = 200;

/** Opens the log. What it prints on a terminal is loaded only there. */
export async function createLog(options: LogOptions): Promise<ProcessLog> {
  const pretty = options.format === "pretty" || (options.format === "auto" && options.isTerminal);
  const sink = pretty ? await prettySink(options) : bufferedSink(options);
  const log = pino(
    {
      level: options.level,
      base: options.base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      hooks: { streamWrite: redact },
    },
    { write: sink.write },
  );
  return { log, writeLine: sink.write, flush: sink.flush, droppedLines: sink.droppedLines };
}

interface Sink {
  write: (line: string) => void;
  flush: () => void;
  droppedLines: () => number;
}

function bufferedSink({ shared, fd = 1 }: LogOptions): Sink {
  // A pipe takes at most 4096 bytes at once without mixing them with another process' lines.
  const pieceBytes = shared ? 4096 : 32_768;
  const destination = pino.destination({
    fd,
    sync: false,
    maxLength: MAX_BUFFERED_BYTES,
    maxWrite: pieceBytes,
  });
  let dropped = 0;
  destination.on("drop", (piece: string) => (dropped += piece.split("\n").length - 1));
  // A reader that is gone must not end the process: it serves on, without a log.
  destination.on("error", () => {});
  // With every write the destination measures all that waits again: it gets few large pieces instead of many lines.
  let piece = "";
  let bytes = 0;
  const handOver = (): void => {
    if (bytes > 0) destination.write(piece);
    piece = "";
    bytes = 0;
  };
  setInterval(handOver, FLUSH_INTERVAL_MS).unref();
  return {
    write: (line) => {
      const lineBytes = Buffer.byteLength(line);
      if (bytes + lineBytes > pieceBytes) handOver();
      piece += line;
      bytes += lineBytes;
    },
    flush: () => {
      handOver();
      try {
        destination.flushSync();
      } catch {
        // Nobody reads any more; there is nowhere to say so.
      }
    },
    droppedLines: () => dropped,
  };
}

async function prettySink({ fd = 1, isTerminal }: LogOptions): Promise<Sink> {
  const [{ default: pretty }, { requestSummary }] = await Promise.all([
    import("pino-pretty"),
    import("./log/request-summary.ts"),
  ]);
  const stream = pretty({
    destination: fd,
    sync: true,
    colorize: isTerminal,
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
    ...requestSummary(),
  });
  return { write: (line) => void stream.write(line), flush: () => {}, droppedLines: () => 0 };
}
