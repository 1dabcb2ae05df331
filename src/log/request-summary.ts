import type { PrettyOptions } from "pino-pretty";

/** How a request's line reads on a terminal: one sentence, and only what a person wants to know. */
export function requestSummary(): Pick<PrettyOptions, "ignore" | "messageFormat"> {
  return {
    ignore: hiddenFields.join(","),
    messageFormat: (line, messageKey) => {
      const message = String(line[messageKey]);
      return message === "request" ? summaryOf(line) : message;
    },
  };
}

/** Fields that the sentence says, or that only machines sum up. */
const hiddenFields = [
  "requestId",
  "method",
  "status",
  "operationName",
  "operationType",
  "durationMs",
  "outcome",
  "shared",
  "codes",
  "restCalls",
  "sharedCalls",
  "retries",
  "queuedMs",
  "rowsListed",
  "keysRequested",
  "keysFetched",
  "dedupRatio",
  "limit",
  "restCallsInFlight",
  "queue",
];

function summaryOf(line: Record<string, unknown>): string {
  const { method, operationType, operationName, status, durationMs, restCalls, outcome, codes, requestId } =
    line;
  const what = [operationType ?? method, operationName].filter((word) => typeof word === "string").join(" ");
  const cost = restCalls === undefined ? "" : `, ${text(restCalls)} REST call${restCalls === 1 ? "" : "s"}`;
  const left = outcome === "client-left" ? ", the client left" : "";
  const failed =
    Array.isArray(codes) && codes.length > 0 ? `, ${codes.join(" ")} (request ${text(requestId)})` : "";
  return `${what} ${text(status)} in ${text(durationMs)} ms${cost}${left}${failed}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
