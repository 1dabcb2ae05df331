import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { AuthentikError } from "../authentik/authentik-error.ts";
import type { JsonObject } from "../authentik/decoders.ts";
import type { Usage } from "../authentik/usage.ts";
import type { OperationSummary } from "../graphql/execute.ts";
import type { HeaderList } from "./cors.ts";
import type { RequestRecord } from "../observability/log.ts";
import type { OperationSpan } from "../observability/tracing.ts";
import { type GraphQLResponse, type HttpError, negotiate, writeResponse } from "./graphql-response.ts";

/** One request until it is answered: from its head to the log line. */
export interface PendingRequest {
  readonly requestId: string;
  readonly path: string;
  operation: OperationSummary;
  readonly codes: Set<string>;
  readonly onProblem: (problem: JsonObject) => void;
  /** Called when the client leaves before it was answered; whoever executes sets it. */
  onAbort?: (reason: AuthentikError) => void;
  /** Filled in by whoever executes. */
  usage: Readonly<Usage> | null;
  shared: boolean;
  callerKey?: string;
  /** Absent where nothing is traced. */
  span?: OperationSpan;
  respond(response: GraphQLResponse): void;
  refuse(error: HttpError): void;
}

/** What all requests have in common. */
export interface PendingRequestOptions {
  path: string;
  cors: HeaderList;
  clientAddress: string | undefined;
  /** Called once for each request, when it is over. */
  onRequest: (record: RequestRecord) => void;
}

/** nginx's status for a client that closed the connection first; only ever logged. */
const CLIENT_CLOSED_REQUEST = 499;

// A proxy's or router's own request id is kept where it is harmless in a log and in a header.
const REQUEST_ID = /^[A-Za-z0-9_.:=+/-]{1,128}$/;

const NO_CODES: readonly string[] = [];
const NO_OPERATION: OperationSummary = {};

/** Begins a request. What is done after it is over does nothing. */
export function beginRequest(
  { method = "", headers }: IncomingMessage,
  response: ServerResponse,
  { path, cors, clientAddress, onRequest }: PendingRequestOptions,
): PendingRequest {
  const startedMs = performance.now();
  const given = headers["x-request-id"];
  const requestId = typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
  const problems: JsonObject[] = [];
  let isOver = false;

  function finish(status: number, outcome: RequestRecord["outcome"]): void {
    isOver = true;
    const { operation, codes, shared, usage, callerKey, span } = pending;
    const record: RequestRecord = {
      requestId,
      method,
      path,
      status,
      durationMs: performance.now() - startedMs,
      operation,
      codes: codes.size === 0 ? NO_CODES : [...codes].sort(),
      shared,
      outcome,
      usage,
      problems,
      ...(clientAddress !== undefined && { clientAddress }),
      ...(callerKey !== undefined && { callerKey }),
      ...(span && { traceId: span.traceId }),
    };
    span?.end(record);
    onRequest(record);
  }

  const pending: PendingRequest = {
    requestId,
    path,
    operation: NO_OPERATION,
    codes: new Set(),
    onProblem: (problem) => problems.push(problem),
    usage: null,
    shared: false,
    respond(graphqlResponse) {
      if (isOver) return;
      writeResponse(response, graphqlResponse, { requestId, cors });
      finish(graphqlResponse.status, "answered");
    },
    refuse({ status, code, message, ...rest }) {
      pending.codes.add(code);
      pending.respond({
        status,
        mediaType: negotiate(headers.accept) ?? "application/json",
        body: JSON.stringify({ errors: [{ message, extensions: { code, requestId } }] }),
        ...rest,
      });
    },
  };
  response.once("close", () => {
    if (isOver) return;
    // First what is under way, whose cost until now belongs to the line.
    pending.onAbort?.(new AuthentikError("cancelled", "the client left"));
    finish(CLIENT_CLOSED_REQUEST, "client-left");
  });
  return pending;
}
