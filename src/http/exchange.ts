import { randomUUID } from "node:crypto";
import type { Usage } from "../authentik/client.ts";
import type { JsonObject } from "../authentik/decoders.ts";
import type { OperationNote } from "../graphql/operations.ts";
import { type Answer, negotiate } from "./answer.ts";
import type { Recipient } from "./recipient.ts";
import type { Refusal } from "./request-guard.ts";
import type { RequestHead } from "./request-head.ts";

/** One finished request to `/graphql`: what the log line and the metrics are made of. No secrets by construction. */
export interface RequestRecord {
  requestId: string;
  method: string;
  /** 499 when nobody waited for the answer. */
  status: number;
  durationMs: number;
  /** Empty for requests that never became an operation. */
  operation: OperationNote;
  /** Codes of the errors in the answer, each once, sorted. */
  codes: readonly string[];
  /** Whether the answer came from an identical operation already in flight. */
  shared: boolean;
  /** `client-left` when nobody waited for the answer. */
  outcome: "answered" | "client-left";
  usage: Usage | null;
  /** Errors worth an operator's attention, in log form: kind, status, route, detail, stack of the unexpected ones. */
  problems: readonly JsonObject[];
}

/** One request and its answer, from the first header to the log line. */
export interface Exchange {
  readonly requestId: string;
  /** Of whoever executes: one of several identical operations for all of them. */
  operation: OperationNote;
  readonly codes: Set<string>;
  readonly onProblem: (problem: JsonObject) => void;
  /** Filled in by whoever executes. */
  usage: Usage | null;
  shared: boolean;
  answer(answer: Answer): void;
  refuse(refusal: Refusal): void;
  /** The client left before there was an answer. */
  abandon(): void;
}

/** Nginx's status for a client that closed the connection first; only ever logged. */
const CLIENT_CLOSED_REQUEST = 499;

// A proxy's or router's own request id is kept where it is harmless in a log and in a header.
const REQUEST_ID = /^[A-Za-z0-9_.:=+/-]{1,128}$/;

const NO_CODES: readonly string[] = [];

/** Begins an exchange; `onRequest` is called once, when it is over. What is done afterwards does nothing. */
export function createExchange(
  { method = "", headers }: RequestHead,
  recipient: Recipient,
  { closing, onRequest }: { closing: () => boolean; onRequest: (record: RequestRecord) => void },
): Exchange {
  const startedMs = performance.now();
  const given = headers["x-request-id"];
  const requestId = typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
  const problems: JsonObject[] = [];
  let over = false;

  function finish(status: number, outcome: RequestRecord["outcome"]) {
    over = true;
    const { operation, codes, shared, usage } = exchange;
    onRequest({
      requestId,
      method,
      status,
      durationMs: performance.now() - startedMs,
      operation,
      codes: codes.size === 0 ? NO_CODES : [...codes].sort(),
      shared,
      outcome,
      usage,
      problems,
    });
  }

  const exchange: Exchange = {
    requestId,
    operation: {},
    codes: new Set(),
    onProblem: (problem) => problems.push(problem),
    usage: null,
    shared: false,
    answer(answer) {
      if (over) return;
      recipient.send(answer, { requestId, close: closing() });
      finish(answer.status, "answered");
    },
    refuse({ status, code, message, headers: more }) {
      exchange.codes.add(code);
      exchange.answer({
        status,
        mediaType: negotiate(headers.accept) ?? "application/json",
        body: JSON.stringify({ errors: [{ message, extensions: { code, requestId } }] }),
        headers: more,
      });
    },
    abandon() {
      if (!over) finish(CLIENT_CLOSED_REQUEST, "client-left");
    },
  };
  return exchange;
}
