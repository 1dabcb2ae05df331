import { setTimeout as sleep } from "node:timers/promises";
import pino, { type Logger } from "pino";
import type { AuthentikState } from "../authentik/client.ts";
import type { AuthentikErrorKind } from "../authentik/authentik-error.ts";
import type { Config } from "../config/load.ts";
import { type JsonObject, shortened } from "../authentik/decoders.ts";
import type { Usage } from "../authentik/usage.ts";

/** The process' log: lines for people and machines, on standard output unless told otherwise. */
export interface ProcessLog {
  readonly log: Logger;
  /** Writes out what is buffered, as far as it can be written within a second; the process' end awaits it. Never rejects. */
  flush: () => Promise<void>;
  /** Lines lost because nobody read them fast enough. */
  droppedLines: () => number;
}

/** How to log. */
export interface LogOptions {
  level: Config["logLevel"];
  format: Config["logFormat"];
  /** Whether people look at standard output: what `auto` depends on. */
  isTerminal: boolean;
  /** File descriptor; default 1, standard output. */
  fd?: number;
}

/** Bytes that may wait for a reader before lines are dropped instead of growing the process. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
/** Lines go out together from so many bytes on, or after the interval. With each line pino's stream measures all that wait. */
const WRITE_BYTES = 8192;
const WRITE_INTERVAL_MS = 200;
/** How long the end waits for a reader. */
const FLUSH_TIMEOUT_MS = 1000;

/** Opens the log. */
export async function createLog({ level, format, isTerminal, fd = 1 }: LogOptions): Promise<ProcessLog> {
  const settings = {
    level,
    // Process id and host name are known to whatever collects the lines.
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (word: string) => ({ level: word }) },
  };
  if (format === "pretty" || (format === "auto" && isTerminal)) {
    return {
      log: pino(settings, await createPrettyStream({ fd, colorize: isTerminal })),
      flush: () => Promise.resolve(),
      droppedLines: () => 0,
    };
  }
  const destination = pino.destination({
    fd,
    sync: false,
    minLength: WRITE_BYTES,
    maxWrite: 2 * WRITE_BYTES,
    maxLength: MAX_BUFFERED_BYTES,
    periodicFlush: WRITE_INTERVAL_MS,
  });
  let dropped = 0;
  destination.on("drop", () => (dropped += 1));
  // A reader that is gone must not end the process: it serves on, without a log.
  destination.on("error", () => {});
  // pino calls it for a fatal line and at the end of the process; where lines cannot be written it tries without end.
  destination.flushSync = () => {};
  const flush = () => new Promise<void>((resolve) => destination.flush(() => resolve()));
  return {
    log: pino(settings, destination),
    async flush() {
      // The first one may find a write under way, and ends with it; the second takes what came after that.
      await Promise.race([flush().then(flush), sleep(FLUSH_TIMEOUT_MS)]);
    },
    droppedLines: () => dropped,
  };
}

/** Lines for people: one sentence for each request, and only what a person wants to know. Loaded only where people look. */
async function createPrettyStream({ fd, colorize }: { fd: number; colorize: boolean }) {
  const { default: pretty } = await import("pino-pretty");
  return pretty({
    destination: fd,
    sync: true,
    colorize,
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
    ignore: HIDDEN_FIELDS,
    messageFormat(line, messageKey) {
      const message = String(line[messageKey]);
      return message === "request" ? sentenceOf(line) : message;
    },
  });
}

/** Fields that the sentence says, or that only machines sum up. */
const HIDDEN_FIELDS =
  "requestId,traceId,method,path,status,client,caller,operationName,operationType,durationMs,outcome,shared,codes," +
  "restCalls,sharedCalls,retries,queuedMs,rowsListed,keysRequested,keysFetched,dedupRatio,limit,restCallsInFlight,queue";

function sentenceOf(line: Record<string, unknown>): string {
  const { operationType, operationName, status, durationMs, restCalls, outcome, codes, requestId } = line;
  const words = operationType === undefined ? [line["method"], line["path"]] : [operationType, operationName];
  const what = words.filter((word) => typeof word === "string").join(" ");
  const cost = restCalls === undefined ? "" : `, ${text(restCalls)} REST call${restCalls === 1 ? "" : "s"}`;
  const left = outcome === "client-left" ? ", the client left" : "";
  const failed =
    Array.isArray(codes) && codes.length > 0 ? `, ${codes.join(" ")} (request ${text(requestId)})` : "";
  return `${what} ${text(status)} in ${text(durationMs)} ms${cost}${left}${failed}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Details are sentences for the operator, an unexpected error comes with its stack. */
const MAX_PROBLEM_TEXT_LENGTH = 512;
const MAX_STACK_LENGTH = 4096;
const MAX_PROBLEMS = 10;
/** Characters of the caller's key: enough to tell callers apart, too few to be worth anything else. */
const CALLER_LENGTH = 8;

/** One finished request: what the log line and the metrics are made of. No secrets by construction. */
export interface RequestRecord {
  requestId: string;
  method: string;
  /** Without the query, which may hold variables. */
  path: string;
  /** 499 when nobody waited for the response. */
  status: number;
  durationMs: number;
  /** Empty for requests that never became an operation. */
  operation: { name?: string; type?: string };
  /** Codes of the errors in the response, each once, sorted. */
  codes: readonly string[];
  /** Whether the response came from an identical operation already in flight. */
  shared: boolean;
  /** `client-left` when nobody waited for the response. */
  outcome: "answered" | "client-left";
  usage: Readonly<Usage> | null;
  /** Errors worth an operator's attention, in log form: kind, status, route, detail, stack of the unexpected ones. */
  problems: readonly JsonObject[];
  /** Address of the client, as a trusted proxy tells it. */
  clientAddress?: string;
  /** Keyed hash of the caller's own credential; absent where there is none. */
  callerKey?: string;
  traceId?: string;
}

/** Writes one line for each request. docs/operating.md says what each field means. */
export function createRequestLog(
  log: Logger,
  { authentikState }: { authentikState: () => AuthentikState },
): (record: RequestRecord) => void {
  return (record) => {
    const severity = severityOf(record);
    if (log.isLevelEnabled(severity)) log[severity](fieldsOf(record, authentikState()), "request");
  };
}

/** What lies with the caller, or is no failure at all: nothing that an operator could mend. */
const CALLERS_OWN: ReadonlySet<unknown> = new Set<AuthentikErrorKind>([
  "unauthenticated",
  "forbidden",
  "not-found",
  "invalid-input",
  "too-many-calls",
  "too-many-rows",
  "cancelled",
]);

/**
 * How much a request matters to an operator: `error` for faults of the gateway, `warn` for trouble of authentik or on the
 * way to it, `info` for everything else, whatever the client was told.
 */
export function severityOf({ codes, problems }: RequestRecord): "info" | "warn" | "error" {
  if (codes.includes("INTERNAL_SERVER_ERROR")) return "error";
  return problems.every(({ problem }) => CALLERS_OWN.has(problem)) ? "info" : "warn";
}

/** pino leaves out what is undefined. One literal without spreads, which V8 makes and walks through fastest. */
function fieldsOf(record: RequestRecord, { limit, inFlight, queued }: AuthentikState): object {
  const { operation, problems, clientAddress, callerKey, usage } = record;
  return {
    requestId: shortened(record.requestId),
    traceId: record.traceId,
    method: shortened(record.method),
    path: shortened(record.path),
    status: record.status,
    client: shortened(clientAddress),
    caller: callerKey ? callerKey.slice(0, CALLER_LENGTH) : undefined,
    operationName: shortened(operation.name),
    operationType: operation.type,
    durationMs: rounded(record.durationMs),
    outcome: record.outcome,
    shared: record.shared,
    codes: record.codes,
    restCalls: usage?.restCalls,
    sharedCalls: usage?.sharedCalls,
    retries: usage?.retries,
    queuedMs: usage ? rounded(usage.queuedMs) : undefined,
    rowsListed: usage?.rowsListed,
    keysRequested: usage?.keysRequested,
    keysFetched: usage?.keysFetched,
    dedupRatio: usage
      ? usage.keysRequested && rounded(1 - usage.keysFetched / usage.keysRequested)
      : undefined,
    limit,
    restCallsInFlight: inFlight,
    queue: queued,
    problems: problems.length > 0 ? problems.slice(0, MAX_PROBLEMS).map(shortenedProblem) : undefined,
    problemsOmitted: problems.length > MAX_PROBLEMS ? problems.length - MAX_PROBLEMS : undefined,
  };
}

function shortenedProblem(problem: RequestRecord["problems"][number]): object {
  const fields = Object.entries(problem).map(([name, value]) => {
    const maxLength = name === "error" ? MAX_STACK_LENGTH : MAX_PROBLEM_TEXT_LENGTH;
    return [name, typeof value === "string" ? shortened(value, maxLength) : value];
  });
  return Object.fromEntries(fields);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
