import pretty, { type PrettyStream } from "pino-pretty";

/** Lines for people: one sentence for each request, and only what a person wants to know. */
export function createPrettyStream({ fd, colorize }: { fd: number; colorize: boolean }): PrettyStream {
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
