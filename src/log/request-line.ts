import type { AuthentikState } from "../authentik/client.ts";
import type { LogLevel } from "../config/load.ts";
import type { RequestRecord } from "../server/pending-request.ts";
import { redact } from "./redact.ts";

/** What the line needs from the process. */
export interface RequestLineOptions {
  level: LogLevel;
  /** Fields of every line. */
  base: Readonly<Record<string, string | number>>;
  authentikState: () => AuthentikState;
  writeLine: (line: string) => void;
}

type Severity = "info" | "warn" | "error";
const SEVERITIES: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 99,
};

/**
 * Writes one line for each request, in the form of the other lines. Composed by hand, since every request pays for it:
 * a fourth of what the general serialiser takes. Texts are escaped, and what can hold foreign text is redacted.
 */
export function createRequestLog(options: RequestLineOptions): (record: RequestRecord) => void {
  const { base, authentikState, writeLine } = options;
  const threshold = SEVERITIES[options.level];
  const fixed = Object.entries(base)
    .map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join("");
  const now = isoClock();
  return (record) => {
    const severity = severityOf(record);
    if (SEVERITIES[severity] < threshold) return;
    const { limit, inFlight, queued } = authentikState();
    writeLine(
      `{"level":"${severity}","time":"${now()}"${fixed},"msg":"request"${requestFields(record)}${usageFields(record)}` +
        `,"limit":${limit},"restCallsInFlight":${inFlight},"queue":${queued}${problemsField(record)}}\n`,
    );
  };
}

function severityOf({ codes, problems }: RequestRecord): Severity {
  if (codes.includes("INTERNAL_SERVER_ERROR")) return "error";
  return problems.length > 0 ? "warn" : "info";
}

function requestFields(record: RequestRecord): string {
  const { requestId, method, status, durationMs, operation, codes, shared, outcome } = record;
  const name = operation.name === undefined ? "" : `,"operationName":${quoted(operation.name)}`;
  const type = operation.type === undefined ? "" : `,"operationType":"${operation.type}"`;
  const codeList = codes.length === 0 ? "[]" : JSON.stringify(codes);
  return (
    `,"requestId":${quoted(requestId)},"method":${quoted(method)},"status":${status}${name}${type}` +
    `,"durationMs":${rounded(durationMs)},"outcome":"${outcome}","shared":${shared},"codes":${codeList}`
  );
}

function usageFields({ usage }: RequestRecord): string {
  if (usage === null) return "";
  const { restCalls, sharedCalls, retries, queuedMs, rowsListed, keysRequested, keysFetched } = usage;
  const dedupRatio = keysRequested === 0 ? 0 : rounded(1 - keysFetched / keysRequested);
  return (
    `,"restCalls":${restCalls},"sharedCalls":${sharedCalls},"retries":${retries},"queuedMs":${rounded(queuedMs)}` +
    `,"rowsListed":${rowsListed},"keysRequested":${keysRequested},"keysFetched":${keysFetched},"dedupRatio":${dedupRatio}`
  );
}

function problemsField({ problems }: RequestRecord): string {
  return problems.length === 0 ? "" : `,"problems":${redact(JSON.stringify(problems))}`;
}

/** A text as JSON; nearly all are ids and names in which nothing has to be escaped. */
function quoted(text: string): string {
  return HARMLESS.test(text) ? `"${text}"` : JSON.stringify(text);
}

const HARMLESS = /^[\w.:=+/-]*$/;

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The time as ISO 8601, formatted once for each millisecond. */
function isoClock(): () => string {
  let millisecond = 0;
  let text = "";
  return () => {
    const current = Date.now();
    if (current !== millisecond) {
      millisecond = current;
      text = new Date(current).toISOString();
    }
    return text;
  };
}
